import type { DatabaseReport } from '../../postgres/index.ts';
import { count, size, time } from '../quantity.ts';
import type { Finding } from './finding.ts';

/** From when on a slot that lags, in bytes, and a row that waits, in ms, are worth telling. */
const LAG = { degraded: 64_000_000, critical: 512_000_000 };
const WAIT = { degraded: 5_000, critical: 60_000 };

const RUN = 'Start a relay: "tidemark relay"; if one runs, see its log lines for what holds it up.';

/** What waits at the database for a relay. */
export function databaseFindings({ slot, outbox }: DatabaseReport): readonly Finding[] {
  const found: Finding[] = [];
  if (slot?.problem !== undefined)
    found.push({
      code: 'slot',
      status: 'critical',
      what: `The replication slot ${slot.slot} cannot be read on`,
      evidence: slot.problem,
      cure: 'Run "tidemark postgres setup --recreate": everything is invalidated once.',
    });
  else if (slot !== undefined && (!slot.active || slot.lag >= LAG.degraded))
    found.push({
      code: 'slot-lag',
      status: !slot.active || slot.lag >= LAG.critical ? 'critical' : 'degraded',
      what: slot.active ? `The replication slot ${slot.slot} lags` : `Nobody reads the replication slot ${slot.slot}`,
      evidence: `${size(slot.lag)} behind the end of the database's log; it keeps ${size(slot.retained)} on the disk`,
      cure: RUN,
    });
  if (outbox !== undefined && outbox.waiting > 0 && outbox.oldest >= WAIT.degraded)
    found.push({
      code: 'outbox',
      status: outbox.oldest >= WAIT.critical ? 'critical' : 'degraded',
      what: 'Changes wait in the outbox',
      evidence: `${count(outbox.waiting)} rows, the oldest for ${time(outbox.oldest)}`,
      cure: RUN,
    });
  return found;
}
