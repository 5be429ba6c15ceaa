import type { Cancel, Clock } from '../coherence/clock.ts';

/**
 * A clock that a test moves by hand.
 *
 * @example
 * const clock = new FakeClock();
 * const cache = createCache({ name: 'test', clock });
 * await clock.advance(5_000);
 */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wall: number;
  #timers: { due: number; order: number; run: () => void }[] = [];
  #made = 0;

  /** @param wall the wall clock at the start, in ms since 1970 */
  constructor(wall = 1_700_000_000_000) {
    this.#wall = wall;
  }

  /** Timers that have not run yet. */
  get timers(): number {
    return this.#timers.length;
  }

  readonly monotonic = (): number => this.#monotonic;

  readonly wall = (): number => this.#wall;

  readonly schedule = (ms: number, run: () => void): Cancel => {
    const timer = { due: this.#monotonic + Math.max(0, ms), order: this.#made++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((it) => it !== timer);
    };
  };

  /**
   * Moves both clocks on by `ms` milliseconds. Timers that become due run in order, each at its own moment; promises
   * settle before it, between them, and after the last.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms;
    await promisesSettled();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#move(next.due - this.#monotonic);
      this.#timers = this.#timers.filter((it) => it !== next);
      next.run();
      await promisesSettled();
    }
    this.#move(until - this.#monotonic);
    await promisesSettled();
  }

  /** The machine is suspended for `ms` milliseconds: the wall clock goes on, the monotonic one and all timers do not. */
  suspend(ms: number): void {
    this.#wall += ms;
  }

  /** Sets the wall clock, in ms since 1970; the monotonic one does not notice. */
  setWall(wall: number): void {
    this.#wall = wall;
  }

  #next(until: number): { due: number; order: number; run: () => void } | undefined {
    const due = this.#timers.filter((timer) => timer.due <= until);
    return due.sort((a, b) => a.due - b.due || a.order - b.order)[0];
  }

  #move(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
  }
}

/** Resolves when no promise reaction is left to run: a tick that a microtask asks for comes after all microtasks. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
