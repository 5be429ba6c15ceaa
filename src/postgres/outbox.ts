import { type Duration, milliseconds } from '../coherence/duration.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { Pause } from '../coherence/pause.ts';
import type { Draft } from '../coherence/record.ts';
import { CHANNEL } from './carrier.ts';
import type { Session } from './driver.ts';
import { parseLsn } from './lsn.ts';
import { outboxMessage } from './outbox-message.ts';
import { type FoundRow, OutboxRows } from './outbox-rows.ts';
import { outboxStep } from './outbox-step.ts';
import type { RelayLog } from './relay-log.ts';
import type { LogSender } from './sender.ts';
import type { SourceParts } from './source.ts';

export interface OutboxOptions {
  /** How long a writer is given to append its message itself, before the relay does. Default `'20ms'`. */
  readonly grace?: Duration;
  /** How often the table is looked at without a notification. Default `'1s'`; ten times as often where notifications do not come. */
  readonly poll?: Duration;
  /** Whether to listen for the notifications of writers. Default `true`. */
  readonly notify?: boolean;
}

/** Numbers since the relay was made, and what is now. */
export interface OutboxStatus {
  /** Rows at the last look; at most 500 are looked at at once. */
  readonly waiting: number;
  /** How long ago the oldest of them was written, in ms. */
  readonly oldestMs: number;
  /** Rows whose messages were in the log already. */
  readonly direct: number;
  /** Messages that this relay has appended. */
  readonly appended: number;
  /** Messages that could not be read. */
  readonly undecodable: number;
}

/** A row that was seen before. */
interface Known {
  readonly message: Uint8Array;
  readonly draft: Draft;
  /** On the stopwatch. */
  readonly since: number;
  age: number;
  /** As it was appended, with its bound. */
  sent: Draft | undefined;
}

/** A row that is older than this when it is found without a notification was not notified of, in ms. */
const UNHEARD = 200;

/** For how long notifications are not relied on then, in ms. */
const DISTRUST = 60_000;

/** How long the relay waits to know what the log still has before it appends anything, in ms. */
const PATIENCE = 2_000;

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;

/**
 * Finishes what writers have not: looks at all rows there are, whatever their ids (a slow transaction's row becomes visible after
 * those of faster ones with higher ids), and decides about each by {@link outboxStep}.
 */
export class Outbox {
  readonly #parts: SourceParts;
  readonly #reading: RelayLog;
  readonly #rows: OutboxRows;
  readonly #grace: number;
  readonly #poll: number;
  readonly #listens: boolean;
  readonly #pauses: Pause;
  #known = new Map<string, Known>();
  #running = false;
  #ended: Promise<void> = Promise.resolve();
  #notified = false;
  #distrustUntil = Number.NEGATIVE_INFINITY;
  #count = { direct: 0, appended: 0, undecodable: 0 };

  /** @throws TidemarkError `INVALID_OPTION` */
  constructor(parts: SourceParts, reading: RelayLog, options: OutboxOptions) {
    checkKnown(options, ['grace', 'poll', 'notify'], 'outbox');
    this.#parts = parts;
    this.#reading = reading;
    this.#rows = new OutboxRows(parts.schema, parts.context.name);
    this.#grace = milliseconds(options.grace ?? '20ms', 'outbox.grace');
    this.#poll = milliseconds(options.poll ?? '1s', 'outbox.poll');
    this.#listens = options.notify ?? true;
    this.#pauses = new Pause(parts.context.clock);
  }

  start(sender: LogSender, session: Session): void {
    this.#running = true;
    // What is there already was notified of to somebody else.
    this.#notified = true;
    session.onEnded(() => this.#halt());
    this.#ended = this.#run(sender, session);
  }

  async stop(): Promise<void> {
    this.#halt();
    await this.#ended;
    this.#known.clear();
  }

  status(): OutboxStatus {
    const ages = [...this.#known.values()].map((row) => row.age + this.#now() - row.since);
    return { waiting: ages.length, oldestMs: Math.round(Math.max(0, ...ages)), ...this.#count };
  }

  #halt(): void {
    this.#running = false;
    this.#pauses.end();
  }

  async #run(sender: LogSender, session: Session): Promise<void> {
    let prepared = false;
    for (let failures = 0; this.#running; ) {
      try {
        if (!prepared) await this.#prepare(session);
        prepared = true;
        const again = await this.#pass(sender, session);
        failures = 0;
        if (!again) await this.#rest();
      } catch (error) {
        failures++;
        await this.#fail(error, failures);
      }
    }
  }

  async #fail(error: unknown, failures: number): Promise<void> {
    if (this.#running) await this.#pauses.pass(FIRST_PAUSE);
    // The end of the session, or of the sender, is the end of this term: others report it.
    if (!this.#running || (error instanceof TidemarkError && error.code === 'CLOSED')) return this.#halt();
    this.#parts.emit({ type: 'failed', part: 'outbox', error: this.#rows.explained(error) });
    await this.#pauses.pass(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures, 10)));
  }

  async #prepare(session: Session): Promise<void> {
    await this.#rows.checkLog(session);
    if (this.#listens)
      await session.listen(CHANNEL, () => {
        // One that comes while writers are given their grace is answered by the look that follows it.
        if (this.#notified) return;
        this.#notified = true;
        this.#pauses.end();
      });
    // Without it, what the writers have appended before this relay was there would be appended once more.
    const until = this.#now() + PATIENCE;
    while (this.#running && !this.#reading.caughtUp && this.#now() < until) await this.#pauses.pass(10);
  }

  /** @returns whether there may be more to do at once */
  async #pass(sender: LogSender, session: Session): Promise<boolean> {
    const wasNotified = this.#notified;
    this.#notified = false;
    const { rows, isFull } = await this.#rows.find(session);
    this.#recognise(rows, sender, wasNotified);
    if (rows.length === 0) return false;
    await this.#proveRead(sender);
    const due = [...this.#known.values()].filter((row) => this.#step(row, sender) === 'send');
    if (due.length > 0) await this.#send(due, sender, session);
    const deleted = await this.#delete(sender, session);
    return deleted > 0 && isFull;
  }

  #recognise(rows: readonly FoundRow[], sender: LogSender, wasNotified: boolean): void {
    const now = this.#now();
    const found = new Map<string, Known>();
    for (const { id, age, message } of rows) {
      const known = this.#known.get(id);
      // Ids begin anew where somebody restarts them.
      const before = known !== undefined && Buffer.compare(known.message, message) === 0 ? known : undefined;
      if (before === undefined && age > UNHEARD && !wasNotified && this.#listens) this.#distrustUntil = now + DISTRUST;
      found.set(id, before ?? { message, draft: this.#draftOf(id, message, sender), since: now, age, sent: undefined });
    }
    this.#known = found;
  }

  #draftOf(row: string, message: Uint8Array, sender: LogSender): Draft {
    const { draft, undecodable } = outboxMessage(message, (coverage) => sender.draft(coverage));
    if (undecodable === undefined) return draft;
    this.#count.undecodable++;
    this.#parts.emit({ type: 'undecodable', row, error: undecodable });
    return draft;
  }

  /** What was read of the rows' messages, or was appended, is known to be in the log only once that has proven itself. */
  async #proveRead(sender: LogSender): Promise<void> {
    const waits = ({ draft, sent }: Known): boolean =>
      !sender.seen(draft.id) && (sent !== undefined || this.#reading.awaits(draft.id));
    if (![...this.#known.values()].some(waits)) return;
    try {
      await this.#reading.prove();
    } catch {
      // Nothing is proven, so nothing is deleted. Who follows the log reports it.
    }
  }

  #step({ draft, since, age, sent }: Known, sender: LogSender): ReturnType<typeof outboxStep> {
    const known = this.#now() - since;
    const kept = sender.isKept(sent ?? draft);
    return outboxStep({ age: age + known, known, kept, out: sent !== undefined && sender.isOut(sent) }, this.#grace);
  }

  /** With a bound that is read after the rows were visible, and so after their commits: above all of them. */
  async #send(rows: readonly Known[], sender: LogSender, session: Session): Promise<void> {
    const lsnAfter = sender.mark();
    const [bound] = await session.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    const lsn = parseLsn(bound?.['lsn']);
    const drafts = rows.map((row) => ({ ...row.draft, lsn, lsnAfter }));
    await sender.send(drafts);
    rows.forEach((row, i) => (row.sent = drafts[i]));
    this.#count.appended += drafts.length;
    this.#parts.emit({ type: 'appended', records: drafts.length });
    await this.#proveRead(sender);
  }

  /** @returns how many there were */
  async #delete(sender: LogSender, session: Session): Promise<number> {
    const done = [...this.#known].filter(([, row]) => this.#step(row, sender) === 'delete');
    if (done.length === 0) return 0;
    await this.#rows.delete(
      session,
      done.map(([id]) => id),
    );
    for (const [id, { sent }] of done) {
      this.#known.delete(id);
      if (sent === undefined) this.#count.direct++;
    }
    return done.length;
  }

  /** Until there may be something to do. After a notification its writer gets its grace first. */
  async #rest(): Promise<void> {
    if (!this.#running) return;
    const waiting = this.#known.size > 0 && this.#reading.reachable;
    if (!this.#notified) await this.#pauses.pass(waiting ? Math.max(this.#grace, 5) : this.#interval());
    if (this.#running && this.#notified && this.#grace > 0) await this.#pauses.pass(this.#grace);
  }

  #interval(): number {
    const heard = this.#listens && this.#now() >= this.#distrustUntil;
    return heard ? this.#poll : Math.max(1, this.#poll / 10);
  }

  #now(): number {
    return this.#parts.context.stopwatch.now();
  }
}
