import type { Lsn } from '../coherence/record.ts';
import type { Session } from './driver.ts';
import { parseLsn } from './lsn.ts';
import type { RelayLog } from './relay-log.ts';
import type { LogSender } from './sender.ts';
import type { SourceParts } from './source.ts';

/** How long a doubt is left to the writers, whose next bound may end it, in ms. */
const GRACE = 100;

/** Whether a bound is to be appended: a commit is in doubt, and was so at the last look, at least {@link GRACE} ago. */
export function isBoundDue(lsn: Lsn, doubtedFor: number): boolean {
  return lsn === 'unknown' && doubtedFor >= GRACE;
}

/**
 * Ends doubts about replicas: where a record came without its bound, loaders read the primary until one is known that was read
 * later. Somebody's next write may be a long time off.
 */
export class Bounds {
  readonly #parts: SourceParts;
  readonly #reading: RelayLog;
  #since: number | undefined;

  constructor(parts: SourceParts, reading: RelayLog) {
    this.#parts = parts;
    this.#reading = reading;
  }

  /** Looks once. */
  async look(sender: LogSender, session: Session): Promise<void> {
    const { lsn } = this.#reading;
    const now = this.#parts.context.stopwatch.now();
    this.#since = lsn === 'unknown' ? (this.#since ?? now) : undefined;
    if (!isBoundDue(lsn, now - (this.#since ?? now))) return;
    // Before the bound is read: only so it is certain to be above the commits behind what was applied.
    const lsnAfter = sender.mark();
    const [row] = await session.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    const bound = parseLsn(row?.['lsn']);
    await sender.send([sender.draft({ kind: 'invalidate', labels: [], patterns: [] }, { lsn: bound, lsnAfter })]);
    this.#since = undefined;
    this.#parts.emit({ type: 'bound', lsn: bound });
  }
}
