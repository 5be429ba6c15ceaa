import { Pause } from '../coherence/pause.ts';
import type { Arrival } from './arrival.ts';
import { Delivery, type DeliveryParts } from './delivery.ts';

/** What became of an event that was given to an intake. */
export interface Taken {
  /**
   * - `handled`: its invalidation is in the log, or it makes nothing stale
   * - `queued`: it was handled; the log has not taken the invalidation yet, so that it would be lost if this process died
   * - `covered`: it was given up, and everything was covered instead
   * - `parked`: it was given up, and what it makes stale may still be served
   * - `closed`: the intake was closed before it was handled
   */
  readonly status: 'handled' | 'queued' | 'covered' | 'parked' | 'closed';
  /** What the last attempt has failed with, of one that was given up. */
  readonly error?: unknown;
}

const CLOSED: Taken = { status: 'closed' };

/** Between one look and the next whether the log has taken something, in ms. */
const FIRST_LOOK = 50;
const LONGEST_LOOK = 5_000;

export interface LaneParts<E> extends Omit<DeliveryParts, 'failed'> {
  /** Sees one through, to whatever end. */
  readonly carry: (arrival: Arrival<E>, lane: Lane<E>) => Promise<Taken>;
  /** An attempt has failed. */
  readonly failed: (arrival: Arrival<E>, error: unknown, attempt: number, again: boolean) => void;
  /** Nothing is here any more. */
  readonly emptied: () => void;
}

interface Waiting<E> {
  readonly arrival: Arrival<E>;
  readonly end: (taken: Taken) => void;
}

/** The events of one source: one at a time, in the order in which they came. */
export class Lane<E> {
  readonly #parts: LaneParts<E>;
  readonly delivery: Delivery;
  readonly #pauses: Pause;
  #waiting: Waiting<E>[] = [];
  #current: Waiting<E> | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: LaneParts<E>) {
    this.#parts = parts;
    this.#pauses = new Pause(parts.clock);
    this.delivery = new Delivery({
      ...parts,
      failed: (...about) => this.#current && parts.failed(this.#current.arrival, ...about),
    });
  }

  /** How many have not begun. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when nothing is here. */
  get idle(): Promise<void> {
    return this.#running;
  }

  /** Resolves when its turn has come and gone. */
  push(arrival: Arrival<E>): Promise<Taken> {
    return new Promise((end) => {
      this.#waiting.push({ arrival, end });
      if (this.#current === undefined && this.#waiting.length === 1) this.#running = this.#run();
    });
  }

  /** Takes out those that have not begun; whoever does so says what became of them. */
  clear(): readonly Waiting<E>[] {
    return this.#waiting.splice(0);
  }

  /** Waits before the log is asked again; the next time for longer. @returns `false` where the lane was stopped meanwhile */
  async look(times: number): Promise<boolean> {
    const ms = Math.min(LONGEST_LOOK, FIRST_LOOK * 2 ** Math.min(times, 10));
    if (!this.#stopped) await this.#pauses.pass(ms * (0.5 + this.#parts.random()));
    return !this.#stopped;
  }

  /** Begins nothing any more, and gives up what is under way. @returns what was not handled */
  stop(): readonly Arrival<E>[] {
    this.#stopped = true;
    this.delivery.stop();
    this.delivery.abort();
    this.#pauses.end();
    const left = [...(this.#current === undefined ? [] : [this.#current]), ...this.clear()];
    for (const { end } of left) end(CLOSED);
    return left.map(({ arrival }) => arrival);
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#current = next;
      next.end(await this.#parts.carry(next.arrival, this));
    }
    this.#current = undefined;
    this.#parts.emptied();
  }
}
