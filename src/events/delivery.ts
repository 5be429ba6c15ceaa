import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { Pause } from '../coherence/pause.ts';

/** What a callback is told of its own run. */
export interface Attempt {
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the time of this run is over, or whoever delivers is closed. */
  readonly signal: AbortSignal;
}

export interface DeliveryParts {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** For one run, in ms. */
  readonly timeout: number;
  /** A run has failed, for the so-manieth time; another follows if `again`. */
  readonly failed: (error: unknown, attempt: number, again: boolean) => void;
}

/** What became of a delivery; `closed` where it was given up because whoever delivers was closed. */
export type Outcome = { readonly status: 'done' | 'closed' } | { readonly status: 'failed'; readonly error: unknown };

/** Pauses between runs, in ms. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;

/** Hands one thing after the other to a user's function, again if it fails. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #pauses: Pause;
  #closed = false;
  #run: AbortController | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#pauses = new Pause(parts.clock);
  }

  /** @param most runs before it counts as failed */
  async deliver(work: (run: Attempt) => unknown, most: number): Promise<Outcome> {
    for (let attempt = 1; !this.#closed; attempt++) {
      try {
        await this.#once(work, attempt);
        return { status: 'done' };
      } catch (error) {
        if (this.#isClosed()) break;
        this.#parts.failed(error, attempt, attempt < most);
        if (attempt >= most) return { status: 'failed', error };
      }
      const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempt - 1, 10));
      await this.#pauses.pass(ms * (0.5 + this.#parts.random()));
    }
    return { status: 'closed' };
  }

  /** No run begins any more. */
  stop(): void {
    this.#closed = true;
    this.#pauses.end();
  }

  /** Tells the run that is under way that nobody waits for it any more, and waits for it no longer. */
  abort(): void {
    this.#run?.abort();
  }

  async #once(work: (run: Attempt) => unknown, attempt: number): Promise<void> {
    const { clock, timeout } = this.#parts;
    const run = new AbortController();
    this.#run = run;
    const late = (): Error => {
      run.abort();
      return new TidemarkError(
        'LOAD_TIMEOUT',
        `The callback was not done within ${timeout} ms. Make it faster, or raise \`timeout\`.`,
      );
    };
    try {
      const answer = work({ attempt, signal: run.signal });
      // Most callbacks only drop an entry: no timer for those.
      if (isThenable(answer)) await within(clock, timeout, Promise.race([answer, aborted(run.signal)]), late);
    } finally {
      this.#run = undefined;
    }
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  #isClosed(): boolean {
    return this.#closed;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  });
}
