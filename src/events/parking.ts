import type { Arrival } from './arrival.ts';
import type { Parked } from './intake-event.ts';

interface Place<E> {
  readonly parked: Parked<E>;
  readonly arrival: Arrival<E>;
}

/** Where events stay that were given up: so many, one for each id of a source. */
export class Parking<E> {
  readonly #most: number;
  readonly #places = new Map<string, Place<E>>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#places.size;
  }

  list(): readonly Parked<E>[] {
    return [...this.#places.values()].map(({ parked }) => parked);
  }

  /** @returns the one that had to leave */
  add(parked: Parked<E>, arrival: Arrival<E>): Parked<E> | undefined {
    const name = nameOf(parked);
    this.#places.delete(name);
    this.#places.set(name, { parked, arrival });
    if (this.#places.size <= this.#most) return undefined;
    const [[oldest, { parked: left }]] = this.#places as unknown as [[string, Place<E>]];
    this.#places.delete(oldest);
    return left;
  }

  /** It was handled after all. */
  remove(arrival: Arrival<E>): void {
    if (this.#places.size > 0) this.#places.delete(nameOf(arrival));
  }

  /** Everything that is here, in the order in which it came. It stays until it is removed. */
  arrivals(): readonly Arrival<E>[] {
    return [...this.#places.values()].map(({ arrival }) => arrival);
  }
}

function nameOf({ source, id }: { readonly source: string; readonly id: string }): string {
  return JSON.stringify([source, id]);
}
