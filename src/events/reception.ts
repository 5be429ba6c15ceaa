import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import type { InvalidationLog, Reading } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import { Pause } from '../coherence/pause.ts';
import { formatToken, type Position, type Token } from '../coherence/position.ts';
import type { LogRecord } from '../coherence/record.ts';
import type { Gap } from './gap.ts';

/** A gap in what the log could give. */
export type Break = Exclude<Gap, { readonly reason: 'failed' }>;

/** Who takes what is read. What it answers with `false` counts as not taken: there it goes on, if ever. */
export interface Receiver {
  take(record: LogRecord, epoch: string): Promise<boolean>;
  takeBreak(gap: Break): Promise<boolean>;
  /** Whether the log answers has changed. */
  stateChanged(state: ReceptionState, cause: unknown): void;
  /** Everything was taken, for the first time. */
  caughtUp(): void;
}

/** `waiting`: the log does not answer, or it has not been reached yet. */
export type ReceptionState = 'waiting' | 'following' | 'closed';

export interface ReceptionParts {
  readonly log: InvalidationLog;
  readonly context: PartContext;
  readonly receiver: Receiver;
  readonly from: Position | undefined;
  /** Most records that are read at once. */
  readonly buffer: number;
}

/** Pauses between attempts while the log does not answer, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/** Reads a log from a position on, one batch after the other has been taken, and sees where something is missing. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #clock: Clock;
  readonly #pauses: Pause;
  /** Where it is; `undefined` while the break before the next record is not taken yet. */
  #position: Position | undefined;
  #break: Break['reason'] = 'start';
  #taken: Token | undefined;
  #state: ReceptionState = 'waiting';
  #provenAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #buffered = 0;
  #reading = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
    this.#clock = parts.context.clock;
    this.#pauses = new Pause(this.#clock);
    this.#position = parts.from;
    this.#taken = parts.from && formatToken(parts.from);
  }

  get state(): ReceptionState {
    return this.#state;
  }

  /** Behind what was taken last. */
  get position(): Token | undefined {
    return this.#taken;
  }

  /** Records that were read and are not taken yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Until when, on the stopwatch, everything was taken. */
  get provenAt(): number {
    return this.#provenAt;
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves when nothing is being taken any more; what is read meanwhile is of no use. */
  async stop(): Promise<void> {
    this.#state = 'closed';
    this.#pauses.end();
    if (!this.#reading) await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        // A log that breaks off time and again must not be asked in a tight loop. (After a failure it was not.)
        if (this.#position === undefined && this.#failures > 1 && this.#state === 'following') await this.#pause();
        if (this.#closed) return;
        await (this.#position === undefined ? this.#begin() : this.#readOn(this.#position));
      } catch (error) {
        if (this.#closed) return;
        this.#enter('waiting', error);
        this.#failures++;
        await this.#pause();
      }
    }
  }

  /**
   * Finds where to go on, and says that nothing is known of what was before: in this order, so that nothing is missed. In
   * another life of the log everything in it is new; else it is the end, since what is dropped needs no messages.
   */
  async #begin(): Promise<void> {
    const end = await this.#read({ epoch: '', number: 0 }, 0, 0);
    if (this.#closed) return;
    const position = { epoch: end.epoch, number: this.#break === 'epoch' ? 0 : end.head };
    const upTo = formatToken(position);
    if (!(await this.#parts.receiver.takeBreak({ reason: this.#break, after: this.#taken, upTo }))) return;
    this.#position = position;
    this.#taken = upTo;
    this.#prove(end, position.number);
  }

  async #readOn(position: Position): Promise<void> {
    const { maxLag } = this.#parts.context.logOptions;
    // Who resumes wants to know at once whether that is possible.
    const isFirst = this.#state === 'waiting' && this.#provenAt === Number.NEGATIVE_INFINITY;
    const reading = await this.#read(position, isFirst ? 0 : maxLag / 4, this.#parts.buffer);
    if (this.#closed) return;
    this.#enter('following', undefined);
    if (reading.epoch !== position.epoch || !(reading.head >= position.number)) return this.#lose('epoch');
    let { number } = position;
    this.#buffered = reading.records.length;
    for (const record of reading.records) {
      if (record.prev !== number) return this.#lose('trimmed');
      if (!(await this.#parts.receiver.take(record, position.epoch))) return;
      ({ number } = record);
      this.#position = { epoch: position.epoch, number };
      this.#taken = formatToken(this.#position);
      this.#buffered--;
    }
    // Nothing to read although the log goes on: what was there has been trimmed or lost.
    if (reading.records.length === 0 && number < reading.head) return this.#lose('trimmed');
    this.#failures = 0;
    this.#prove(reading, number);
  }

  /** Notes how fresh it is, if everything up to the head of a reading was taken. */
  #prove({ head, provenAt }: Reading, number: number): void {
    if (number < head || provenAt === undefined) return;
    const isFirst = this.#provenAt === Number.NEGATIVE_INFINITY;
    this.#provenAt = provenAt;
    if (isFirst) this.#parts.receiver.caughtUp();
  }

  async #read(after: Position, wait: number, limit: number): Promise<Reading> {
    const { log, context } = this.#parts;
    this.#reading = true;
    try {
      const work = log.read(after, { wait, limit });
      const late = (): Error => new Error('the log did not answer');
      return await within(this.#clock, wait + context.logOptions.maxLag, work, late);
    } finally {
      this.#reading = false;
    }
  }

  #lose(reason: Break['reason']): void {
    this.#failures++;
    this.#buffered = 0;
    this.#break = reason;
    this.#position = undefined;
  }

  #pause(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures - 1, 10));
    return this.#pauses.pass(ms * (0.5 + this.#parts.context.random()));
  }

  #enter(state: ReceptionState, cause: unknown): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#parts.receiver.stateChanged(state, cause);
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  get #closed(): boolean {
    return this.#state === 'closed';
  }
}
