import { randomBytes } from 'node:crypto';
import { type LogAccess, openLog } from '../cache/log-access.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import { AnnouncementCloser } from './announcement-closer.ts';
import { Bounds } from './bounds.ts';
import type { Session } from './driver.ts';
import { Leader } from './leader.ts';
import { Outbox, type OutboxStatus } from './outbox.ts';
import type { RelayEvent, RelayListener } from './relay-event.ts';
import { RelayJournal } from './relay-journal.ts';
import { RelayLog } from './relay-log.ts';
import { RelayReporter } from './relay-reporter.ts';
import { type RelayOptions, relaySettings } from './relay-options.ts';
import { Term } from './relay-term.ts';
import { LogSender } from './sender.ts';
import type { Source, SourceParts } from './source.ts';

/** What a relay does now, and numbers since it was made. */
export interface RelayStatus {
  /** `standby`: another one has the lock, or the database does not answer. */
  readonly state: 'active' | 'standby' | 'stopped';
  readonly log: {
    readonly reachable: boolean;
    /** Records that were in the log twice. */
    readonly duplicates: number;
  };
  readonly outbox: OutboxStatus | undefined;
  /** What the capture says of itself. */
  readonly capture: unknown;
  readonly announcements: {
    /** Strict writes that are open, of whatever database. */
    readonly open: number;
    /** Those that this relay has closed. */
    readonly closed: number;
  };
}

/** Gets changes from a database to the log that their writers did not. Made by {@link createRelay}. */
export class Relay {
  readonly #access: LogAccess;
  readonly #journal: RelayJournal;
  readonly #reading: RelayLog;
  readonly #leader: Leader;
  readonly #parts: SourceParts;
  readonly #outbox: Outbox | undefined;
  readonly #capture: Source | undefined;
  readonly #announcements: AnnouncementCloser;
  readonly #bounds: Bounds | undefined;
  readonly #origin = `relay#${randomBytes(4).toString('hex')}`;
  readonly #reporter: RelayReporter | undefined;
  #duplicates = 0;
  #term: Term | undefined;
  #state: RelayStatus['state'] | 'made' = 'made';
  #stopping: Promise<void> | undefined;

  /** Use {@link createRelay}. */
  constructor(options: RelayOptions) {
    const settings = relaySettings(options);
    const { context, database, schema } = settings;
    this.#journal = new RelayJournal(context);
    this.#parts = { context, database, schema, emit: (event) => this.#journal.emit(event) };
    this.#capture = settings.capture?.(this.#parts);
    this.#access = openLog(options, context);
    this.#reading = new RelayLog(this.#access.log, context, {
      duplicate: (id) => {
        this.#duplicates++;
        this.#journal.emit({ type: 'duplicate', id });
      },
      failed: (error, failures) => this.#reconnecting('log', error, failures),
    });
    this.#outbox = settings.outbox && new Outbox(this.#parts, this.#reading, settings.outbox);
    this.#announcements = new AnnouncementCloser(this.#parts, this.#reading);
    this.#bounds = settings.replicas ? new Bounds(this.#parts, this.#reading) : undefined;
    this.#reporter = options.reports && new RelayReporter(options.reports, context, this.#origin, () => this.status());
    this.#leader = new Leader({
      database,
      context,
      key: `${schema} ${context.name}`,
      hooks: {
        elected: (session) => this.#begin(session),
        deposed: (cause) => this.#end(cause),
        failed: (error, failures) => this.#reconnecting('database', error, failures),
      },
    });
  }

  /**
   * Begins: works when its servers do, and as long as no other relay of the same log and schema does.
   *
   * @throws TidemarkError `CLOSED` once it was stopped
   */
  start(): void {
    if (this.#stopping !== undefined)
      throw new TidemarkError('CLOSED', 'start: this relay was stopped. Make a new one.');
    if (this.#state !== 'made') return;
    this.#state = 'standby';
    this.#reading.start();
    this.#leader.start();
    this.#reporter?.start();
  }

  /** Hands over to another relay, and ends all that was started. What is left undone stays in the database. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Calls `listener` with each event. One that throws harms nobody. */
  on(listener: RelayListener): Unsubscribe {
    return this.#journal.on(listener);
  }

  status(): RelayStatus {
    return {
      state: this.#state === 'made' ? 'standby' : this.#state,
      log: { reachable: this.#reading.reachable, duplicates: this.#duplicates },
      outbox: this.#outbox?.status(),
      capture: this.#capture?.status(),
      announcements: { open: this.#reading.announcements.length, closed: this.#announcements.closed },
    };
  }

  async #stop(): Promise<void> {
    // One that never began has nothing to end but its log.
    if (this.#state !== 'made') await this.#leader.stop();
    this.#state = 'stopped';
    await this.#reporter?.close();
    this.#reading.stop();
    await this.#access.close();
  }

  #begin(session: Session): Promise<void> {
    const { log, context } = this.#access;
    const sender = new LogSender({
      ...{ log, context, reading: this.#reading, origin: this.#origin },
      failed: (error, failures) => this.#reconnecting('log', error, failures),
    });
    this.#state = 'active';
    this.#journal.emit({ type: 'active' });
    this.#term = new Term({
      ...{ parts: this.#parts, sender, session, outbox: this.#outbox, capture: this.#capture },
      ...{ announcements: this.#announcements, bounds: this.#bounds },
    });
    this.#term.start();
    return Promise.resolve();
  }

  async #end(cause: unknown): Promise<void> {
    await this.#term?.stop();
    this.#term = undefined;
    this.#state = 'standby';
    this.#journal.emit({ type: 'standby', ...(cause === undefined ? {} : { cause }) });
  }

  #reconnecting(to: 'database' | 'log', error: unknown, failures: number): void {
    if (this.#stopping === undefined)
      this.#journal.emit({ type: 'reconnecting', to, failures, error } satisfies RelayEvent);
  }
}

/**
 * A relay: finishes what writers have left in the outbox when they died, closes their announcements, and reads the database's
 * own log where it is told to. Run two or more; one works, the others take over within seconds.
 *
 * It begins with {@link Relay.start}, works with or without its servers, and needs {@link Relay.stop}.
 *
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY` for bad options; that no server answers is no error
 * @example
 * const relay = createRelay({ name: 'shop', ...redis({ url }), database: 'postgresql://relay@localhost/shop' });
 * relay.start();
 * process.once('SIGTERM', () => relay.stop());
 */
export function createRelay(options: RelayOptions): Relay {
  return new Relay(options);
}
