import type { Cancel, Clock } from '../coherence/clock.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface VirtualClockOptions {
  /** The wall clock at the start of virtual time, in ms since 1970. */
  readonly wall?: number;
  /** How late a timer fires, in ms; asked for each. */
  readonly lateness?: () => number;
}

interface Held {
  readonly due: number;
  readonly run: () => void;
}

/**
 * The clocks and the event loop of one process in virtual time, with everything that can befall them.
 *
 * - paused (a debugger, a stopped container): both clocks go on; timers and deliveries wait, and come late.
 * - suspended (a laptop's lid, a frozen guest): as paused, and the monotonic clock stands still.
 * - killed: nothing runs any more.
 *
 * What reaches the process from outside must go through {@link deliver}.
 */
export class VirtualClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #lateness: () => number;
  #wallAhead: number;
  #slept = 0;
  #suspendedAt: number | undefined;
  #paused = false;
  #killed = false;
  #pumping = false;
  #timers: Held[] = [];
  #deliveries: (() => void)[] = [];

  constructor(scheduler: Scheduler, random: SeededRandom, options: VirtualClockOptions = {}) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#wallAhead = options.wall ?? 1_700_000_000_000;
    this.#lateness = options.lateness ?? (() => 0);
  }

  get killed(): boolean {
    return this.#killed;
  }

  /** Whether the process runs at all now. */
  get running(): boolean {
    return !this.#killed && !this.#paused && this.#suspendedAt === undefined;
  }

  readonly monotonic = (): number => (this.#suspendedAt ?? this.#scheduler.now) - this.#slept;

  readonly wall = (): number => this.#scheduler.now + this.#wallAhead;

  readonly schedule = (ms: number, run: () => void): Cancel => {
    const due = this.monotonic() + Math.max(0, ms);
    let pending: (() => void) | undefined = run;
    this.#arm({ due, run: () => pending?.() }, Math.max(0, ms) + this.#lateness());
    return () => {
      pending = undefined;
    };
  };

  /** Something arrives from outside: it runs at once, or when the process does. Arrivals keep their order. */
  deliver(run: () => void): void {
    if (this.#killed) return;
    if (this.running && !this.#pumping) run();
    else this.#deliveries.push(run);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** The machine sleeps. */
  suspend(): void {
    this.#suspendedAt ??= this.#scheduler.now;
  }

  wake(): void {
    if (this.#suspendedAt === undefined) return;
    this.#slept += this.#scheduler.now - this.#suspendedAt;
    this.#suspendedAt = undefined;
    this.#pump();
  }

  /** Sets the wall clock forward, or back, by so many ms. */
  setWall(by: number): void {
    this.#wallAhead += by;
  }

  kill(): void {
    this.#killed = true;
    this.#timers = [];
    this.#deliveries = [];
  }

  #arm(timer: Held, ms: number): void {
    this.#scheduler.after(ms, () => this.#fire(timer));
  }

  #fire(timer: Held): void {
    if (this.#killed) return;
    // Time that the machine slept through does not count for its timers.
    const early = timer.due - this.monotonic();
    if (this.running && early > 1e-6) return this.#arm(timer, early);
    if (this.running && !this.#pumping) timer.run();
    else this.#timers.push(timer);
  }

  /** What has waited runs as one event each; whether timers or arrivals come first, nobody promises. */
  #pump(): void {
    if (this.#pumping || !this.running) return;
    this.#pumping = true;
    this.#timers.sort((a, b) => a.due - b.due);
    const timersFirst = this.#random.chance(0.5);
    const step = (): void => {
      this.#pumping = false;
      if (!this.running) return;
      const timer = timersFirst || this.#deliveries.length === 0 ? this.#timers.shift() : undefined;
      if (timer !== undefined) this.#fire(timer);
      else this.#deliveries.shift()?.();
      if (this.#timers.length + this.#deliveries.length === 0) return;
      this.#pumping = true;
      this.#scheduler.after(0, step);
    };
    this.#scheduler.after(0, step);
  }
}
