import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { Endpoint, Session } from './channel.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly expires: number;
}

/** The server of values and leases. It forgets, loses writes and fails as often as it is told to. */
export class ValueServer implements Endpoint {
  readonly sessions: Set<Session> = new Set();
  up = true;
  /** How often a write is acknowledged and not made, from 0 to 1. */
  loses = 0;
  /** How often a request fails, from 0 to 1. */
  fails = 0;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #values = new Map<string, Stored>();
  readonly #leases = new Map<string, { readonly holder: number; readonly until: number }>();
  #holders = 0;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Throws as often as it was told to. */
  mayFail(): void {
    if (this.#random.chance(this.fails)) throw new Error('OOM: the store refused');
  }

  get(key: string): Uint8Array | undefined {
    const stored = this.#values.get(key);
    return stored !== undefined && stored.expires > this.#scheduler.now ? stored.bytes : undefined;
  }

  set(key: string, bytes: Uint8Array, ttl: number): void {
    if (this.#random.chance(this.loses)) return;
    this.#values.set(key, { bytes, expires: this.#scheduler.now + ttl });
  }

  remove(key: string): boolean {
    return this.#values.delete(key);
  }

  /** Evicts each value with this probability. */
  evict(probability: number): void {
    for (const key of [...this.#values.keys()]) if (this.#random.chance(probability)) this.#values.delete(key);
  }

  /** Grants a lease, or says how long it is still held. */
  acquire(key: string, time: number): { readonly holder: number } | { readonly wait: number } {
    const held = this.#leases.get(key);
    if (held !== undefined && held.until > this.#scheduler.now)
      return { wait: Math.min(25, held.until - this.#scheduler.now) };
    const holder = ++this.#holders;
    this.#leases.set(key, { holder, until: this.#scheduler.now + time });
    return { holder };
  }

  extend(key: string, holder: number, time: number): boolean {
    const held = this.#leases.get(key);
    if (held?.holder !== holder || held.until <= this.#scheduler.now) return false;
    this.#leases.set(key, { holder, until: this.#scheduler.now + time });
    return true;
  }

  release(key: string, holder: number): void {
    if (this.#leases.get(key)?.holder === holder) this.#leases.delete(key);
  }

  loseLeases(): void {
    this.#leases.clear();
  }
}
