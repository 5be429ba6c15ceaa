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
  /** `undefined` once it is over: what it has held is let go at once. */
  expire: (() => void) | undefined;
}

/** How many that are over may stand in the queue, beside as many that are not. */
const IDLE = 1_000;

/**
 * Deadlines of one length, as {@link within} keeps them, for work of which there is much: one timer serves all, because what
 * began first is due first. (Timers of one duration in a queue are the idea of Varghese and Lauck's timing wheels, 1987, and of
 * Node's own timer lists.)
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In the order in which they are due; those before `#first` are over, and others may be. */
  #waits: Wait[] = [];
  #first = 0;
  /** How many are not over. */
  #open = 0;
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
      const wait: Wait = { due, expire: () => reject(late()) };
      this.#waits.push(wait);
      this.#open++;
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
    if (wait.expire === undefined) return; // It was late.
    wait.expire = undefined;
    this.#open--;
    if (this.#open === 0) {
      this.#clear();
      this.#cancel?.();
      this.#cancel = undefined;
      return;
    }
    const waits = this.#waits;
    while (waits[this.#first]?.expire === undefined) this.#first++;
    // Who takes long at the head must not hold up a queue of those that do not.
    if (waits.length > IDLE + 2 * this.#open) {
      this.#waits = waits.filter(({ expire }) => expire !== undefined);
      this.#first = 0;
    }
  }

  #clear(): void {
    this.#waits = [];
    this.#first = 0;
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
    // Whoever is told may begin more work meanwhile: it must find a timer, or there would be two from then on.
    this.#cancel = nothing;
    const waits = this.#waits;
    for (; this.#first < waits.length; this.#first++) {
      const wait = waits[this.#first] as Wait;
      const { expire } = wait;
      if (expire === undefined) continue;
      if (wait.due > now) return this.#arm(wait.due - now);
      wait.expire = undefined;
      this.#open--;
      expire();
    }
    this.#cancel = undefined;
    this.#clear();
  }
}

function nothing(): void {}
