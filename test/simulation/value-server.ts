import type { BreakerBoard } from '../../src/cache/breaker.ts';
import { memoryBreakerBoard } from '../../src/cache/memory-breaker-board.ts';
import type { StoredEntry } from '../../src/cache/store.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Endpoint, Session } from './channel.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly expires: number;
}

/** What becomes of a request that writes several values while it is executed. */
export type Interruption = 'none' | 'cut' | 'emptied' | 'refused';

/** The server of values, leases and breakers. It forgets, loses writes and fails as often as it is told to. */
export class ValueServer implements Endpoint {
  readonly sessions: Set<Session> = new Set();
  up = true;
  /** How often a write is acknowledged and not made, from 0 to 1. */
  loses = 0;
  /** How often a request fails, from 0 to 1. */
  fails = 0;
  /** How often something comes in between the values of one request, from 0 to 1. */
  interrupts = 0;
  /** What the fleet's breakers tell each other. */
  breakers: BreakerBoard;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #values = new Map<string, Stored>();
  readonly #leases = new Map<string, { readonly holder: number; readonly until: number }>();
  #holders = 0;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.breakers = this.#board();
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

  /**
   * Several values by one request, as servers execute it: one after the other. The connection may end before the last of them,
   * somebody may empty the server in between, or it may run out of memory.
   */
  setMany(entries: readonly StoredEntry[]): { readonly kept: number; readonly by: Interruption } {
    const interrupted = this.interrupts > 0 && entries.length > 1 && this.#random.chance(this.interrupts);
    const by = interrupted ? this.#random.pick(['cut', 'emptied', 'refused'] as const) : 'none';
    const first = interrupted ? 1 + this.#random.below(entries.length - 1) : entries.length;
    for (const { key, bytes, ttl } of entries.slice(0, first)) this.set(key, bytes, ttl);
    if (by === 'emptied') {
      this.evict(1);
      for (const { key, bytes, ttl } of entries.slice(first)) this.set(key, bytes, ttl);
    }
    return { kept: first, by };
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

  loseBreakers(): void {
    this.breakers = this.#board();
  }

  #board(): BreakerBoard {
    return memoryBreakerBoard()({ clock: new VirtualClock(this.#scheduler, this.#random) });
  }
}
