import type { Announcement } from '../coherence/announcements.ts';
import type { Draft } from '../coherence/record.ts';
import { DATABASE_IDENTITY, databaseMark, transactionOf } from './announcement-id.ts';
import { closable } from './announcement-closer-rule.ts';
import type { Session } from './driver.ts';
import { parseLsn } from './lsn.ts';
import type { RelayLog } from './relay-log.ts';
import type { LogSender } from './sender.ts';
import type { SourceParts } from './source.ts';

/** How long a live writer is given to close its own announcement once its transaction has ended, in ms. */
const GRACE = 100;

/** How many ids a crash may have set free: those of a restored backup are too many to be used up. */
const NEAR = 10_000;

/** An announcement whose transaction has ended. */
interface Ended {
  readonly outcome: string;
  /** On the stopwatch: when that was first known here. */
  readonly since: number;
  sent: Draft | undefined;
}

/**
 * Closes the announcements of strict writes whose writers cannot do it any more, once the database says that the transaction has
 * ended: one that is open, or prepared, keeps what it has announced withheld.
 */
export class AnnouncementCloser {
  readonly #parts: SourceParts;
  readonly #reading: RelayLog;
  #ended = new Map<string, Ended>();
  #mark: string | undefined;
  #closed = 0;

  constructor(parts: SourceParts, reading: RelayLog) {
    this.#parts = parts;
    this.#reading = reading;
  }

  /** How many were closed here. */
  get closed(): number {
    return this.#closed;
  }

  /** Looks at all that are open, once. */
  async look(sender: LogSender, session: Session): Promise<void> {
    const open = this.#reading.announcements;
    this.#forget(open);
    if (open.length === 0) return;
    this.#mark ??= await markOf(session);
    const ours = open.filter(({ id }) => transactionOf(id).database === this.#mark);
    if (ours.length > 0) await this.#ask(ours, session);
    const due = ours.filter(({ id }) => this.#isDue(id, sender));
    if (due.length > 0) await this.#close(due, sender, session);
  }

  /** Those that were closed by their writers, or with their epoch. */
  #forget(open: readonly Announcement[]): void {
    const ids = new Set(open.map(({ id }) => id));
    for (const id of this.#ended.keys()) if (!ids.has(id)) this.#ended.delete(id);
  }

  /**
   * The status is asked first, the lock after it, in a statement of its own. A committing transaction 1. writes its status,
   * 2. waits for synchronous replicas, 3. becomes visible, 4. lets go of the lock on its id. Servers before Postgres 18 say
   * "committed" from 1 on, so the status alone would close too early: a load would keep the old row. Who found a status and
   * then no lock knows that 4 is past. The lock alone would tell as much of a transaction that has it since it has its id; but
   * of an id that is not given out, there is no lock either, and no status.
   *
   * An id that has become free again is one: 1. The transaction has its id. 2. The server crashes before anything of it is in
   * its log. 3. Recovered, it gives out the id once more. Until it has, the id counts as unborn; so one is used up for it.
   */
  async #ask(ours: readonly Announcement[], session: Session): Promise<void> {
    const unknown = ours.map(({ id }) => id).filter((id) => !this.#ended.has(id));
    if (unknown.length === 0) return;
    const xids = [`{${unknown.map((id) => transactionOf(id).xid).join(',')}}`];
    const statuses = await session.query(
      `SELECT xid::text AS xid, CASE WHEN xid >= pg_snapshot_xmax(pg_current_snapshot()) THEN CASE WHEN (xid::text::numeric - pg_snapshot_xmax(pg_current_snapshot())::text::numeric) < ${NEAR} THEN 'unborn' ELSE 'far' END ELSE coalesce(pg_xact_status(xid), 'forgotten') END AS status FROM unnest($1::text::xid8[]) AS xid`,
      xids,
    );
    const locks = await session.query(
      `SELECT xid::text AS xid FROM unnest($1::text::xid8[]) AS xid WHERE EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND transactionid = xid::xid)`,
      xids,
    );
    const outcomes = new Map(statuses.map(({ xid, status }) => [String(xid), String(status)]));
    const locked = new Set(locks.map(({ xid }) => String(xid)));
    const since = this.#parts.context.stopwatch.now();
    let unborn = false;
    for (const id of unknown) {
      const xid = transactionOf(id).xid;
      const outcome = outcomes.get(String(xid)) ?? 'unknown';
      if (outcome === 'unborn' && !locked.has(String(xid))) unborn = true;
      if (closable(xid, outcome, locked.has(String(xid)))) this.#ended.set(id, { outcome, since, sent: undefined });
    }
    if (unborn) await session.query('SELECT pg_current_xact_id()');
  }

  #isDue(id: string, sender: LogSender): boolean {
    const ended = this.#ended.get(id);
    if (ended === undefined || this.#parts.context.stopwatch.now() - ended.since < GRACE) return false;
    return ended.sent === undefined || !sender.isOut(ended.sent);
  }

  async #close(due: readonly Announcement[], sender: LogSender, session: Session): Promise<void> {
    const lsnAfter = sender.mark();
    const [bound] = await session.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    const lsn = parseLsn(bound?.['lsn']);
    const drafts = due.map(({ id, labels, patterns }) =>
      sender.draft({ kind: 'close', labels: [...labels], patterns: [...patterns] }, { closes: id, lsn, lsnAfter }),
    );
    await sender.send(drafts);
    due.forEach(({ id }, i) => {
      const ended = this.#ended.get(id);
      if (ended === undefined) return;
      ended.sent = drafts[i];
      this.#closed++;
      this.#parts.emit({ type: 'closed-announcement', id, outcome: ended.outcome });
    });
  }
}

async function markOf(session: Session): Promise<string> {
  const [row] = await session.query(`SELECT ${DATABASE_IDENTITY} AS identity`);
  return databaseMark(String(row?.['identity']));
}
