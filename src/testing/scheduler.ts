import type { Cancel } from '../coherence/clock.ts';
import { EventHeap, type Happening } from './event-heap.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * Virtual time: a queue of things that happen at moments, run one after the other as fast as the machine can. What
 * happens at the same moment happens in an order drawn from the seed.
 *
 * After each one all promises settle before the next begins, exactly as between two events of Node's loop. So a fleet
 * of processes whose clocks, channels and random numbers come from here runs the same way each time.
 */
export class Scheduler {
  readonly #heap = new EventHeap();
  readonly #random: SeededRandom;
  #now = 0;
  #happened = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Milliseconds of virtual time. */
  get now(): number {
    return this.#now;
  }

  /** How many things have happened: also a number that orders what happened at one moment. */
  get happened(): number {
    return this.#happened;
  }

  /** Runs `run` at a moment, or at once if that has passed. */
  at(time: number, run: () => void): Cancel {
    const item: Happening = { time: Math.max(time, this.#now), tie: this.#random.bits(), run };
    this.#heap.push(item);
    return () => {
      item.run = undefined;
    };
  }

  /** Runs `run` after so many milliseconds. */
  after(ms: number, run: () => void): Cancel {
    return this.at(this.#now + Math.max(0, ms), run);
  }

  /** Lets everything happen up to a moment, that moment included. Rejects with what one of them throws. */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        const next = this.#heap.pop(until);
        if (next === undefined) {
          this.#now = Math.max(this.#now, until);
          return resolve();
        }
        this.#now = next.time;
        this.#happened++;
        try {
          next.run?.();
        } catch (error) {
          return reject(error);
        }
        queueMicrotask(afterwards);
      };
      // A tick that a microtask asks for comes after all microtasks: nothing that was set in motion is still under way.
      const afterwards = (): void => process.nextTick(step);
      step();
    });
  }
}
