import type { Announcement } from '../coherence/announcements.ts';
import { within } from '../coherence/deadline.ts';
import type { InvalidationLog, Reading, Snapshot, Unsubscribe } from '../coherence/log.ts';
import { LsnBound } from '../coherence/lsn-bound.ts';
import type { PartContext } from '../coherence/part.ts';
import { Pause } from '../coherence/pause.ts';
import type { Position } from '../coherence/position.ts';
import type { LogRecord, Lsn } from '../coherence/record.ts';
import { LogIds } from './log-ids.ts';
import type { Proof } from './sender-fate.ts';

export interface RelayLogHooks {
  /** A record's message is in the log already. */
  duplicate(id: string): void;
  /** The log does not answer. */
  failed(error: unknown, failures: number): void;
}

/** Most records in one reading. */
const BATCH = 1_000;

/** Pauses between attempts while the log does not answer, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/**
 * What a relay knows of the log: which messages are in it, which announcements are open, what bound it names. It follows the
 * log without being a node: nobody waits for it, and it holds no table.
 *
 * - `down`: no answer yet, or the last request has failed. Left by a copied snapshot
 * - `copying`: the records do not continue. Left by a copied snapshot
 * - `following`: everything up to `applied` is known
 *
 * Of an epoch that is new to it, it reads the records that the log still has from before the snapshot as well: only for
 * their ids, so that a relay that starts late does not append again what the writers have appended.
 */
export class RelayLog {
  readonly #log: InvalidationLog;
  readonly #context: PartContext;
  readonly #hooks: RelayLogHooks;
  readonly #ids = new LogIds();
  readonly #announcements = new Map<string, Announcement>();
  readonly #pauses: Pause;
  #bound = new LsnBound();
  #maxLag: number;
  #state: 'down' | 'copying' | 'following' | 'stopped' = 'down';
  #epoch = '';
  /** Everything up to here is in the announcements and the bound. */
  #applied = 0;
  /** From where it reads; below `applied` only for ids. */
  #cursor = 0;
  #proof: Proof | undefined;
  #failures = 0;
  #caughtUp = false;
  #unsubscribe: Unsubscribe | undefined;

  constructor(log: InvalidationLog, context: PartContext, hooks: RelayLogHooks) {
    this.#log = log;
    this.#context = context;
    this.#hooks = hooks;
    this.#maxLag = context.logOptions.maxLag;
    this.#pauses = new Pause(context.clock);
  }

  get reachable(): boolean {
    return this.#state === 'following';
  }

  /** Whether the end of the epoch that is current was reached: what the log still has is known. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Milliseconds: what the log has fixed, once it is known. */
  get maxLag(): number {
    return this.#maxLag;
  }

  /** `undefined` before the first one. */
  get proof(): Proof | undefined {
    return this.#proof;
  }

  get position(): Position | undefined {
    return this.#epoch === '' ? undefined : { epoch: this.#epoch, number: this.#applied };
  }

  get announcements(): readonly Announcement[] {
    return [...this.#announcements.values()];
  }

  get lsn(): Lsn {
    return this.#bound.value;
  }

  /** Whether a record with this message id was read from the log, and proven to be there, in the epoch that is current. */
  seen(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether a record with this message id was read that {@link RelayLog.prove} may turn out to be there. */
  awaits(id: string): boolean {
    return this.#ids.awaits(id);
  }

  /**
   * Asks the log where it is, verified: what was read before proves itself by it sooner than by the next record or pause.
   *
   * @throws what the log throws
   */
  async prove(): Promise<void> {
    const { clock } = this.#context;
    const late = (): Error => new Error('the log did not answer');
    const after = { epoch: this.#epoch, number: this.#applied };
    const { epoch, head, provenAt } = await within(
      clock,
      this.#maxLag,
      this.#log.read(after, { wait: 0, limit: 0 }),
      late,
    );
    if (provenAt === undefined || this.#stopped) return;
    if (!(this.#proof !== undefined && this.#proof.at > provenAt)) this.#proof = { epoch, number: head, at: provenAt };
    // What was read up to then is in the log that has answered: an epoch has one line of records.
    if (epoch === this.#epoch && head >= after.number && after.epoch === epoch) this.#ids.prove(after.number);
  }

  start(): void {
    this.#unsubscribe = this.#log.onReachable?.(() => this.#pauses.end());
    void this.#run();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#unsubscribe?.();
    this.#pauses.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        // A log that answers but never lets itself be followed must not be asked in a tight loop.
        if (this.#state === 'copying' && this.#failures > 1) await this.#pause();
        if (this.#stopped) return;
        await (this.#state === 'following' ? this.#readOn() : this.#copy());
      } catch (error) {
        if (this.#stopped) return;
        this.#state = 'down';
        this.#failures++;
        this.#hooks.failed(error, this.#failures);
        await this.#pause();
      }
    }
  }

  async #copy(): Promise<void> {
    const late = (): Error => new Error('the log sent no snapshot in time');
    const snapshot = await within(this.#context.clock, this.#maxLag, this.#log.snapshot(), late);
    if (this.#stopped) return;
    if (snapshot.epoch !== this.#epoch) this.#begin(snapshot);
    // A head behind what was applied in the same epoch: the next reading tells the log, which then begins a new epoch.
    if (snapshot.head >= this.#applied) this.#adopt(snapshot);
    else this.#cursor = this.#applied;
    this.#maxLag = snapshot.options.maxLag;
    this.#state = 'following';
  }

  #begin({ epoch }: Snapshot): void {
    this.#ids.clear();
    this.#bound = new LsnBound();
    this.#epoch = epoch;
    this.#caughtUp = false;
    this.#applied = 0;
    this.#cursor = 0;
  }

  #adopt({ head, announcements, lsn }: Snapshot): void {
    this.#announcements.clear();
    for (const it of announcements) this.#announcements.set(it.id, it);
    this.#bound.copy(lsn, head);
    this.#applied = head;
  }

  async #readOn(): Promise<void> {
    const { clock } = this.#context;
    const wait = this.#caughtUp && this.#cursor >= this.#applied ? this.#maxLag / 4 : 0;
    const late = (): Error => new Error('the log did not answer');
    const reading = await within(
      clock,
      this.#maxLag * 1.25,
      this.#log.read({ epoch: this.#epoch, number: this.#cursor }, { wait, limit: BATCH }),
      late,
    );
    if (!this.#stopped) this.#take(reading);
  }

  #take({ epoch, head, records, provenAt }: Reading): void {
    if (epoch !== this.#epoch || !(head >= this.#applied)) return this.#resync();
    for (const record of records) {
      if (record.number > this.#applied) {
        if (record.prev !== this.#applied) return this.#resync();
        this.#apply(record);
      }
      this.#cursor = Math.max(this.#cursor, record.number);
      if (covers(record) && this.#ids.add(record.id, record.number)) this.#hooks.duplicate(record.id);
    }
    if (records.length === 0 && this.#cursor < head) {
      // What came before the snapshot and cannot be read any more is not needed; what came after it is.
      if (this.#cursor >= this.#applied) return this.#resync();
      this.#cursor = this.#applied;
    }
    // A reading that ends before the head says nothing about what follows it.
    if (this.#cursor < head) return;
    this.#caughtUp = true;
    if (provenAt === undefined) return;
    this.#failures = 0;
    this.#ids.prove(head);
    this.#proof = { epoch, number: head, at: provenAt };
  }

  #apply(record: LogRecord): void {
    this.#bound.take(record, this.#epoch, record.number);
    if (record.kind === 'announce') this.#announcements.set(record.id, record);
    if (record.kind === 'close' && record.closes !== undefined) this.#announcements.delete(record.closes);
    this.#applied = record.number;
  }

  #resync(): void {
    this.#failures++;
    this.#state = 'copying';
  }

  #pause(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures - 1, 10));
    return this.#pauses.pass(ms * (0.5 + this.#context.random()));
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  get #stopped(): boolean {
    return this.#state === 'stopped';
  }
}

/** Whether a record has done what a message with its id asks for. */
function covers({ kind }: LogRecord): boolean {
  return kind === 'invalidate' || kind === 'everything' || kind === 'close';
}
