import { LIVES } from '../cache/report-publisher.ts';
import type { RelayReport } from '../index.ts';
import type { Heard } from './node-view.ts';
import type { HealthStatus, Reason } from './reason.ts';
import { statusOf } from './reason.ts';
import { spokenDuration } from './spoken-time.ts';
import { rising, type Threshold } from './thresholds.ts';

/** The relays of a fleet, of which one works. */
export interface RelaySummary {
  /** Who works; `undefined` where nobody does. */
  readonly active: string | undefined;
  readonly standby: number;
  /** Who has said nothing for a while, and did not end by being stopped; where others work, none are named. */
  readonly silent: readonly string[];
  /** How long the oldest change that is known of has waited, in ms; `undefined` while nobody can tell. */
  readonly lagMs: number | undefined;
  /** Rows of the outbox that wait. */
  readonly waiting: number;
  /** Why the database's log is not read. */
  readonly problem: string | undefined;
}

/** @returns `undefined` of a fleet without relays */
export function relaySummary(relays: readonly Heard<RelayReport>[]): RelaySummary | undefined {
  if (relays.length === 0) return undefined;
  const speaking = relays.filter((it) => !isSilent(it));
  // One that was deposed a moment ago may say that it works still: the younger report counts.
  const working = speaking.filter(({ report }) => report.state === 'active').toSorted((a, b) => a.age - b.age)[0];
  return {
    active: working?.node,
    standby: speaking.filter(({ report }) => report.state === 'standby').length,
    silent: working === undefined ? relays.filter(isSilent).map(({ node }) => node) : [],
    lagMs: working?.report.lagMs ?? undefined,
    waiting: working?.report.waiting ?? 0,
    problem: working?.report.problem ?? undefined,
  };
}

/** Whether a relay should have spoken again by now: it was killed, hangs, or is cut off. */
export function isSilent({ age, report }: Heard<RelayReport>): boolean {
  return age > LIVES * report.every;
}

export function relayReasons(
  { active, silent, lagMs, waiting, problem }: RelaySummary,
  threshold: Threshold,
): readonly Reason[] {
  const reasons: Reason[] = [];
  if (active === undefined)
    reasons.push(
      reason(
        'degraded',
        `No relay works: changes whose writers have died, and changes of other programs, reach nobody.${silent.length === 0 ? '' : ` ${silent.join(', ')} has said nothing for a while, and was not stopped.`}`,
        silent.length === 0
          ? 'Look at the log of the relays: the database or the log may not answer, or another process has the lock.'
          : 'Start the relay again: what has waited meanwhile is caught up with. Run two of them, so that one takes over.',
      ),
    );
  const late = lagMs === undefined ? undefined : rising(lagMs, threshold);
  if (late !== undefined && lagMs !== undefined)
    reasons.push(
      reason(
        late,
        `The relay ${active} is ${spokenDuration(lagMs)} behind its database; ${waiting} rows of the outbox wait.`,
        'Look at the log of the relay, at long transactions in the database, and at how fast the log takes records.',
      ),
    );
  if (problem !== undefined)
    reasons.push(
      reason(
        'degraded',
        `The relay ${active} does not read the database's log: ${problem}`,
        'Mend that; the relay goes on by itself.',
      ),
    );
  return reasons;
}

export function relayStatus({ state, lagMs, problem }: RelayReport, threshold: Threshold): HealthStatus {
  const late = lagMs === null ? undefined : rising(lagMs, threshold);
  const mended = problem === null || state !== 'active';
  return statusOf([
    ...(late === undefined ? [] : [{ status: late }]),
    ...(mended ? [] : [{ status: 'degraded' as const }]),
  ]);
}

function reason(status: Reason['status'], message: string, recommendation: string): Reason {
  return { code: 'relay', status, message, recommendation };
}
