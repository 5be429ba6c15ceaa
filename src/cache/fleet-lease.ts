import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Events } from './events.ts';
import type { Flight, Outcome } from './flight.ts';
import type { Lease, LeaseAnswer } from './lease.ts';
import type { ReadRequest } from './read-request.ts';
import type { StoreLookup } from './store-lookup.ts';

export interface FleetLeaseParts {
  readonly lease: Lease;
  readonly lookup: StoreLookup | undefined;
  /** Whether a strict write keeps what a flight loads from being kept. */
  readonly isWithheld: (flight: Flight) => boolean;
  readonly events: Events;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  /** Deadline of one request, in ms. */
  readonly timeout: number;
}

/**
 * How long a lease is asked for, in ms. Its holder extends it while its load goes on, so that one that dies, or cannot give it
 * back, keeps the others waiting for so long and not for as long as a load may take.
 */
const TIME = 2_000;

type Granted = LeaseAnswer & { readonly granted: true };

/** One loader per key in the whole fleet: whoever does not get the lease waits for what its holder brings. */
export class FleetLease {
  readonly #parts: FleetLeaseParts;
  /** Of leases that are held, what ends their extensions. */
  readonly #held = new Map<Granted, () => void>();

  constructor(parts: FleetLeaseParts) {
    this.#parts = parts;
  }

  /**
   * The lease of the key, extended until it is given to {@link release}; or what its holder has brought meanwhile. Loads without,
   * once the time of a load is over.
   */
  async take(flight: Flight, request: ReadRequest): Promise<LeaseAnswer | Outcome> {
    const { clock, stopwatch } = this.#parts;
    const since = stopwatch.now();
    const { timeout } = request.settings;
    const time = Math.min(TIME, timeout);
    for (let waited = false; ; waited = true) {
      let answer: LeaseAnswer;
      try {
        answer = await this.#acquire(flight.place, time);
      } catch (error) {
        this.#failed(flight.key, error);
        return { granted: false, wait: 0 };
      }
      // Looked for after the answer: what the last holder has brought was in the store before it gave the lease back.
      const stored = waited ? await this.#parts.lookup?.find(flight, request) : undefined;
      if (stored !== undefined) {
        if (answer.granted) void this.release(flight, answer);
        return stored;
      }
      const left = since + timeout - stopwatch.now();
      if (answer.granted) return this.#hold(answer, time);
      // What its holder brings is for nobody else, since it has been announced.
      if (left <= 0 || this.#parts.isWithheld(flight)) return answer;
      request.elsewhere?.();
      const wait = Math.max(1, Math.min(answer.wait, left));
      await new Promise<void>((resolve) => clock.schedule(wait, resolve));
    }
  }

  async #acquire(place: string, time: number): Promise<LeaseAnswer> {
    const { lease, clock, timeout } = this.#parts;
    const asked = lease.acquire(place, time);
    try {
      return await within(clock, timeout, asked, () => new Error('the lease was not answered in time'));
    } catch (error) {
      // One that is granted later would keep others waiting for nobody.
      asked.then((late) => (late.granted ? late.release() : undefined)).catch(() => {});
      throw error;
    }
  }

  /** Not before the value is in the store: who is granted the lease next looks for it there. */
  async release(flight: Flight, lease: Granted): Promise<void> {
    try {
      await flight.saved;
      this.#held.get(lease)?.();
      await lease.release();
    } catch (error) {
      this.#failed(flight.key, error);
    }
  }

  #hold(lease: Granted, time: number): Granted {
    const { clock } = this.#parts;
    const extend = (): void => {
      // Where nobody answers, it is tried again; one that is lost is not fought for.
      lease.extend(time).then(
        (kept) => {
          if (!kept) this.#held.get(lease)?.();
        },
        () => {},
      );
      if (this.#held.has(lease)) again();
    };
    const again = (): void => {
      const cancel = clock.schedule(time / 2, extend);
      this.#held.set(lease, () => {
        cancel();
        this.#held.delete(lease);
      });
    };
    again();
    return lease;
  }

  #failed(key: string, error: unknown): void {
    this.#parts.events.emit({ type: 'lease-failed', key, error });
  }
}
