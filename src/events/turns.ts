import type { Cancel, Clock } from '../coherence/clock.ts';
import type { RateLimit } from './publisher-options.ts';

/** Lets so much go in a second, and the rest later, in order. */
export class Turns {
  readonly #limit: Required<RateLimit>;
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  /** What may go at once, as of `#at`. */
  #left: number;
  #at: number;
  #cancel: Cancel | undefined;

  constructor(limit: Required<RateLimit>, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#left = limit.burst;
    this.#at = clock.monotonic();
  }

  /** How much waits for its turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `go` when it is its turn: at once, if nothing waits and the limit is not reached. */
  take(go: () => void): void {
    this.#waiting.push(go);
    this.#letGo();
  }

  /** Forgets what waits; returns how much that was. */
  clear(): number {
    const count = this.#waiting.length;
    this.#waiting = [];
    return count;
  }

  /** Runs all that waits now, whatever the limit. */
  flush(): void {
    this.#cancel?.();
    for (const go of this.#waiting.splice(0)) go();
  }

  #letGo(): void {
    const { perSecond, burst } = this.#limit;
    const now = this.#clock.monotonic();
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
    // What a sum of fractions lacks to a whole is no reason to wait.
    const most = Math.floor(this.#left + 1e-6);
    const going = this.#waiting.splice(0, most);
    this.#left = Math.max(0, this.#left - going.length);
    for (const go of going) go();
    if (this.#waiting.length === 0) return;
    this.#cancel?.();
    this.#cancel = this.#clock.schedule(((1 - this.#left) / perSecond) * 1_000, () => this.#letGo());
  }
}
