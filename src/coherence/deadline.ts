import type { Cancel, Clock } from './clock.ts';

/**
 * The outcome of `work`, or a rejection after `ms` milliseconds, whichever comes first. What comes later is dropped,
 * errors included.
 *
 * A process that was busy for long looks at its timers before it looks at what has arrived meanwhile. So what is due has one
 * more turn, or an answer that was there in time would count as late.
 */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let cancel = clock.schedule(ms, () => {
      cancel = clock.schedule(0, () => reject(late()));
    });
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** Work that is waited for. */
interface Wait {
  readonly due: number;
  readonly expire: () => void;
  done: boolean;
}

/**
 * Deadlines of one length, as {@link within} keeps them, for work of which there is much: one timer serves all, because what
 * began first is due first. (Timers of one duration in a queue are the idea of Varghese and Lauck's timing wheels, 1987, and of
 * Node's own timer lists.)
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In the order in which they are due; those before `#first` have left. */
  #waits: Wait[] = [];
  #first = 0;
  #cancel: Cancel | undefined;

  /** @param ms how long any work may take */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /**
   * The outcome of `work`, or a rejection when its time has passed.
   *
   * @param late makes that rejection
   * @param failed told what `work` rejects with, before its caller is
   */
  within<T>(work: Promise<T>, late: () => Error, failed?: (error: unknown) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const due = this.#clock.monotonic() + this.#ms;
      const wait: Wait = { due, expire: () => reject(late()), done: false };
      this.#waits.push(wait);
      if (this.#cancel === undefined) this.#arm(this.#ms);
      work.then(
        (value) => {
          this.#leave(wait);
          resolve(value);
        },
        (error: unknown) => {
          this.#leave(wait);
          failed?.(error);
          reject(error);
        },
      );
    });
  }

  #leave(wait: Wait): void {
    wait.done = true;
    while (this.#waits[this.#first]?.done) this.#first++;
    if (this.#first === this.#waits.length) {
      this.#waits = [];
      this.#first = 0;
      this.#cancel?.();
      this.#cancel = undefined;
    } else if (this.#first > 1_000) {
      this.#waits.splice(0, this.#first);
      this.#first = 0;
    }
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.schedule(ms, () => {
      // One more turn.
      const now = this.#clock.monotonic();
      this.#cancel = this.#clock.schedule(0, () => this.#expire(now));
    });
  }

  /** Gives up what was due at `now`, and waits for what is due next. */
  #expire(now: number): void {
    this.#cancel = undefined;
    const waits = this.#waits;
    while (this.#first < waits.length) {
      const wait = waits[this.#first] as Wait;
      if (!wait.done && wait.due > now) return this.#arm(wait.due - now);
      this.#first++;
      if (!wait.done) wait.expire();
      wait.done = true;
    }
    this.#waits = [];
    this.#first = 0;
  }
}
