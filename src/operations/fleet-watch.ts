import type { FleetHealth } from './fleet.ts';
import type { Operations } from './operations.ts';

/**
 * Asks how the fleet is, at most once in so many ms, however often it is wanted: each time all reports of all nodes are read.
 */
export class FleetWatch {
  readonly #operations: Operations;
  readonly #every: number;
  #asked: { readonly at: number; readonly answer: Promise<FleetHealth> } | undefined;

  constructor(operations: Operations, every: number) {
    this.#operations = operations;
    this.#every = every;
  }

  /** Whether there is a fleet to ask about. */
  get isThere(): boolean {
    return this.#operations.cache.parts.reports !== undefined;
  }

  fleet(): Promise<FleetHealth> {
    const now = this.#operations.cache.parts.context.clock.monotonic();
    if (this.#asked === undefined || now - this.#asked.at >= this.#every)
      this.#asked = { at: now, answer: this.#operations.fleet() };
    return this.#asked.answer;
  }
}
