import type { Clock } from '../coherence/clock.ts';
import { Deadlines, within } from '../coherence/deadline.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Connection } from './connection.ts';

export interface LinkParts {
  /** One attempt to connect to the present primary, within so many ms. */
  readonly open: (timeout: number) => Promise<Connection>;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Deadline of an attempt to connect, and of work that names none, in ms. */
  readonly timeout: number;
  /** Called with each new connection. */
  readonly connected?: () => void;
}

/** Pauses between attempts to connect, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/** Answers of a server that is not, or no longer, the one to ask: a new connection looks for the right one. */
const ELSEWHERE = /READONLY|MOVED|UNBLOCKED|-?ASK |CLUSTERDOWN|MASTERDOWN/;

/**
 * Keeps one connection up, and lets nobody wait for a dead server: work that is not answered in time gives the connection
 * up, and until there is a new one everything fails at once. Only the very first attempt is waited for.
 */
export class Link {
  readonly #parts: LinkParts;
  #connection: Connection | undefined;
  /** The attempt that is under way, if none has failed before it. */
  #first: Promise<void> | undefined;
  #failure: unknown;
  /** What work is told while there is no connection: one error for all of it, since each costs a stack. */
  #refusal: TidemarkError | undefined;
  #closed = false;
  readonly #deadlines: Deadlines;
  #cancelPause: (() => void) | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.clock, parts.timeout);
    this.#first = this.#connect(0);
  }

  /** The connection, if there is one now. */
  get connection(): Connection | undefined {
    return this.#connection?.closed === false ? this.#connection : undefined;
  }

  /**
   * Work on one connection from its beginning to its end.
   *
   * @param ms its deadline; it includes the first attempt to connect
   * @throws TidemarkError `UNAVAILABLE` at once without a connection, or when the deadline passes; what `work` throws
   */
  run<T>(work: (connection: Connection) => Promise<T>, ms: number = this.#parts.timeout): Promise<T> {
    const { connection } = this;
    if (connection !== undefined) return this.#work(connection, work, ms);
    return this.#first === undefined ? Promise.reject(this.#unavailable()) : this.#runLater(this.#first, work, ms);
  }

  async #runLater<T>(first: Promise<void>, work: (connection: Connection) => Promise<T>, ms: number): Promise<T> {
    await within(this.#parts.clock, Math.min(ms, this.#parts.timeout), first, () => this.#unavailable());
    const { connection } = this;
    if (connection === undefined) throw this.#unavailable();
    return this.#work(connection, work, ms);
  }

  #work<T>(connection: Connection, work: (connection: Connection) => Promise<T>, ms: number): Promise<T> {
    const late = (): TidemarkError => {
      this.drop(connection);
      return new TidemarkError('UNAVAILABLE', `Redis did not answer within ${ms} ms. Is it overloaded, or stopped?`);
    };
    const failed = (error: unknown): void => {
      if (error instanceof Error && ELSEWHERE.test(error.message)) this.drop(connection);
    };
    const deadlines = ms === this.#parts.timeout ? this.#deadlines : new Deadlines(this.#parts.clock, ms);
    return deadlines.within(work(connection), late, failed);
  }

  /** Gives a connection up: what is under way on it rejects, and a new one is made. */
  drop(connection: Connection | undefined = this.#connection): void {
    connection?.close();
  }

  /** Tries to connect at once, out of a pause: the server is there again, as another connection shows. */
  hurry(): void {
    this.#cancelPause?.();
    if (this.#cancelPause !== undefined && !this.#closed) void this.#connect(1);
    this.#cancelPause = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancelPause?.();
    this.#connection?.close();
  }

  async #connect(failures: number): Promise<void> {
    const { open, timeout } = this.#parts;
    try {
      const connection = await open(timeout);
      if (this.#closed) return connection.close();
      this.#connection = connection;
      this.#parts.connected?.();
      connection.onClose((cause) => {
        this.#connection = undefined;
        this.#refusal = undefined;
        this.#failure = cause;
        this.#again(0);
      });
    } catch (error) {
      this.#failure = error;
      this.#refusal = undefined;
      this.#again(failures + 1);
    } finally {
      this.#first = undefined;
    }
  }

  #again(failures: number): void {
    if (this.#closed) return;
    const { clock, random } = this.#parts;
    const ms = failures === 0 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures, 10));
    this.#cancelPause = clock.schedule(ms * (0.5 + random()), () => {
      this.#cancelPause = undefined;
      void this.#connect(failures);
    });
  }

  #unavailable(): TidemarkError {
    this.#refusal ??= new TidemarkError('UNAVAILABLE', 'There is no connection to Redis now; it is being made again.', {
      cause: this.#failure,
    });
    return this.#refusal;
  }
}
