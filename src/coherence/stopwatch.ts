import type { Clock } from './clock.ts';

/** How far the wall clock may run ahead of the monotonic one before it counts as time that passed unseen, in ms. */
export const STOPWATCH_TOLERANCE = 50;

/**
 * One reading of time made of two clocks: milliseconds that have certainly or possibly passed.
 *
 * A monotonic clock stands still while the machine is suspended; a wall clock does not, but can be set. So time here is
 * the monotonic clock plus every stretch by which the wall clock ran further. Setting the wall clock forward makes
 * things older than they are, never younger; setting it back changes nothing. Slow drift below 50 ms is not counted
 * until it adds up.
 */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #distrustful: boolean;
  #unseen = 0;
  #skew: number;
  #glanced: number | undefined;
  readonly #forget = (): void => {
    this.#glanced = undefined;
  };

  /** `distrustful: false` reads the monotonic clock alone: the guard `bothClocks` removed, for the simulation. */
  constructor(clock: Clock, distrustful = true) {
    this.#clock = clock;
    this.#distrustful = distrustful;
    this.#skew = clock.wall() - clock.monotonic();
  }

  /**
   * The time to about a millisecond, read from the clock at most once in one: for what is about memory only, such as the
   * TTL of an entry in a process that follows its own log. While the process is blocked it stands still. Freshness needs
   * {@link Stopwatch.now}.
   */
  glance(): number {
    if (this.#glanced === undefined) {
      this.#glanced = Math.floor(this.now());
      this.#clock.schedule(1, this.#forget);
    }
    return this.#glanced;
  }

  /** Milliseconds; never goes back. Comparable only with other readings of the same stopwatch. */
  now(): number {
    const monotonic = this.#clock.monotonic();
    if (!this.#distrustful) return monotonic;
    const ahead = this.#clock.wall() - monotonic - this.#skew;
    if (ahead > STOPWATCH_TOLERANCE) {
      this.#unseen += ahead;
      this.#skew += ahead;
    } else if (ahead < 0) {
      this.#skew += ahead;
    }
    return monotonic + this.#unseen;
  }
}
