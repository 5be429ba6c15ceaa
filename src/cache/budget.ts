import type { FleetBudget } from './fleet-budget.ts';

/**
 * How many loaders may run at once in this process, and in the fleet where that is limited too: what protects the source
 * when everything is cold at once. Waiting is first come, first served.
 */
export class Budget {
  readonly #limit: number;
  readonly #fleet: FleetBudget | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number, fleet?: FleetBudget) {
    this.#limit = limit;
    this.#fleet = fleet;
  }

  get running(): number {
    return this.#running;
  }

  /** Whether more than half of the places are taken. */
  get busy(): boolean {
    return this.#running * 2 > this.#limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when there is room; each take is followed by one {@link give}. @param time of the load at most, in ms */
  take(time: number): Promise<void> | undefined {
    const room = this.#room();
    if (this.#fleet === undefined) return room;
    const fleet = this.#fleet;
    return room === undefined ? fleet.take(time) : room.then(() => fleet.take(time));
  }

  give(): void {
    this.#fleet?.give();
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #room(): Promise<void> | undefined {
    if (this.#running < this.#limit) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
