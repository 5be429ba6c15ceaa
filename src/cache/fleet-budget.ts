import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { Pause } from '../coherence/pause.ts';
import type { Events } from './events.ts';
import type { PlaceAnswer, Places } from './places.ts';

export interface FleetBudgetParts {
  readonly places: Places;
  /** Loaders that may run at once in the whole fleet. */
  readonly limit: number;
  readonly events: Events;
  readonly clock: Clock;
  /** Deadline of one request, in ms. */
  readonly timeout: number;
}

interface Held {
  /** When it runs out, on the monotonic clock. */
  readonly until: number;
  readonly release: () => Promise<void>;
}

/** How much longer than its load a place is kept, in ms: it is taken a moment before the load begins. */
const MARGIN = 1_000;

/**
 * This process's share in the places of the fleet. One asks at a time for all that wait here: the first in line. Where
 * nobody answers, loads go on without: the process's own limit holds.
 */
export class FleetBudget {
  readonly #parts: FleetBudgetParts;
  /** Any of them will do for any load. */
  #held: Held[] = [];
  #line: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #pauses: Pause;

  constructor(parts: FleetBudgetParts) {
    this.#parts = parts;
    this.#pauses = new Pause(parts.clock);
  }

  /** Resolves when there is a place; each take is followed by one {@link give}. @param time of the load at most, in ms */
  take(time: number): Promise<void> {
    const taken = this.#line.then(() => this.#take(time + MARGIN));
    this.#line = taken;
    return taken;
  }

  give(): void {
    // The one that runs out first: the others last for the loads that are still under way.
    const [first, ...rest] = this.#held.sort((a, b) => a.until - b.until);
    this.#held = rest;
    first?.release().catch((error: unknown) => this.#failed(error));
  }

  /** Nobody is kept waiting any longer. */
  close(): void {
    this.#closed = true;
    this.#pauses.end();
  }

  async #take(time: number): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#closed) {
      const until = clock.monotonic() + time;
      let answer: PlaceAnswer;
      try {
        answer = await this.#ask(time);
      } catch (error) {
        this.#failed(error);
        break;
      }
      if (answer.granted) {
        const place = answer;
        this.#held.push({ until, release: () => place.release() });
        return;
      }
      await this.#pauses.pass(Math.max(1, answer.wait));
    }
    this.#held.push({ until: clock.monotonic() + time, release: () => Promise.resolve() });
  }

  async #ask(time: number): Promise<PlaceAnswer> {
    const { places, limit, clock, timeout } = this.#parts;
    const asked = places.take(limit, time);
    try {
      return await within(clock, timeout, asked, () => new Error('a place was not given in time'));
    } catch (error) {
      // One that is given later would be kept for nobody.
      asked.then((late) => (late.granted ? late.release() : undefined)).catch(() => {});
      throw error;
    }
  }

  #failed(error: unknown): void {
    this.#parts.events.emit({ type: 'places-failed', error });
  }
}
