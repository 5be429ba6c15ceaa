import { formatToken, type Position, readToken } from '../coherence/position.ts';
import type { NodePresence, RelayReport, Token } from '../index.ts';
import type { NodeReportContent } from './node-report.ts';
import type { HealthStatus } from './reason.ts';

/** One process of the fleet. Of a relay, `lag` is how far it is behind its database, and what only caches have is 0. */
export interface NodeView {
  readonly node: string;
  readonly kind: 'node' | 'relay';
  /** `silent`: it is in the list of nodes, and publishes no report; or a relay that has said nothing for a while. */
  readonly status: HealthStatus | 'silent';
  /** It can prove that what it serves is fresh; of a relay: it can reach the log. */
  readonly attached: boolean;
  /**
   * Milliseconds by which it may be behind the newest position that is known: 0 if it has applied that; else at most the age of its
   * proof, and at most the time between the two positions.
   */
  readonly lag: number;
  /** Milliseconds since what it knows of the log was proved, as it said itself. */
  readonly provenAge: number;
  readonly position: Token;
  /** Invalidations that wait to be sent; of a relay: rows of the outbox that wait. */
  readonly queued: number;
  readonly entries: number;
  readonly bytes: number;
  readonly hitRate: number | undefined;
  readonly latencyP95: number | undefined;
  readonly consistencyScore: number | undefined;
  /** Milliseconds since its report was published; `Infinity` without one. */
  readonly reportAge: number;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
}

/** A report as it was read. */
export interface Heard<T> {
  readonly node: string;
  readonly age: number;
  readonly report: T;
}

/** Positions are microseconds of the log's clock. */
const MICROSECONDS = 1_000;

/** The newest position that anybody is known to have applied, in the epoch of who has proved it last. */
export function newestPosition(
  heard: readonly Heard<NodeReportContent>[],
  listed: readonly NodePresence[],
): Position | undefined {
  const attached = heard.filter(({ report }) => report.attached);
  const [latest] = attached.toSorted((a, b) => a.age + a.report.provenAge - (b.age + b.report.provenAge));
  const epoch = latest && positionOf(latest.report.position)?.epoch;
  if (epoch === undefined) return undefined;
  const positions = [
    ...heard.map(({ report }) => positionOf(report.position)),
    ...listed.map(({ applied }) => applied),
  ];
  const numbers = positions.flatMap((it) => (it?.epoch === epoch ? [it.number] : []));
  return { epoch, number: Math.max(...numbers) };
}

/** @param listed what the list of nodes says of it, which is newer than its report */
export function nodeView(
  { node, age, report }: Heard<NodeReportContent>,
  listed: NodePresence | undefined,
  newest: Position | undefined,
): NodeView {
  const said = positionOf(report.position);
  const applied = later(said, listed?.applied) ?? { epoch: '', number: 0 };
  const { status, attached, provenAge, queued, entries, bytes, version, host, pid } = report;
  return {
    ...{ node, kind: 'node', status, attached, provenAge, queued, entries, bytes, version, host, pid },
    lag: lagOf(applied, newest, provenAge + age),
    position: applied.epoch === '' ? report.position : formatToken(applied),
    hitRate: report.hitRate ?? undefined,
    latencyP95: report.latencyP95 ?? undefined,
    consistencyScore: report.consistencyScore ?? undefined,
    reportAge: age,
  };
}

/** Of a node that is listed and publishes nothing. */
export function silentView({ node, applied }: NodePresence, newest: Position | undefined): NodeView {
  return {
    ...{ node, kind: 'node', status: 'silent', attached: false, ...NOTHING },
    lag: lagOf(applied, newest, Number.POSITIVE_INFINITY),
    position: applied.epoch === '' ? '' : formatToken(applied),
    ...{ provenAge: Number.POSITIVE_INFINITY, reportAge: Number.POSITIVE_INFINITY, queued: 0 },
    ...{ version: '', host: '', pid: 0 },
  };
}

export function relayView({ node, age, report }: Heard<RelayReport>, status: NodeView['status']): NodeView {
  const { reachable, lagMs, waiting, version, host, pid } = report;
  return {
    ...{ node, kind: 'relay', status, attached: reachable, ...NOTHING, version, host, pid },
    ...{ lag: lagMs ?? 0, position: '', provenAge: 0, queued: waiting, reportAge: age },
  };
}

const NOTHING = {
  ...{ entries: 0, bytes: 0, hitRate: undefined, latencyP95: undefined, consistencyScore: undefined },
} as const;

/** @param proved how old the proof of what it has applied is by now */
function lagOf(applied: Position, newest: Position | undefined, proved: number): number {
  if (newest === undefined) return Number.isFinite(proved) ? proved : 0;
  if (applied.epoch !== newest.epoch) return Number.isFinite(proved) ? proved : newest.number / MICROSECONDS;
  return Math.min(proved, Math.max(0, newest.number - applied.number) / MICROSECONDS);
}

function later(said: Position | undefined, listed: Position | undefined): Position | undefined {
  if (listed === undefined || listed.epoch === '') return said;
  if (said === undefined) return listed;
  return said.epoch === listed.epoch && said.number < listed.number ? listed : said;
}

function positionOf(token: Token): Position | undefined {
  const position = readToken(token);
  return typeof position === 'object' ? position : undefined;
}
