import type { Clock } from '../coherence/clock.ts';

/** How many clients are told apart. Whoever was not heard of for longest is forgotten, and begins anew. */
const CLIENTS = 10_000;

interface Bucket {
  /** What is left, as of `at` on the monotonic clock. */
  tokens: number;
  at: number;
}

/**
 * How often a client may ask: a token bucket each, which holds what it may ask in a minute and fills steadily.
 *
 * (A package for this would bring stores for fleets and queues of its own; what is needed here is one process's arithmetic, on the
 * cache's clock.)
 */
export class RateLimit {
  readonly #perMinute: number;
  readonly #clock: Clock;
  /** The one that was used last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perMinute `Infinity` for no limit */
  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** Takes one. @returns 0, or after how many seconds there is one again */
  take(client: string): number {
    if (this.#perMinute === Number.POSITIVE_INFINITY) return 0;
    const now = this.#clock.monotonic();
    const perMs = this.#perMinute / 60_000;
    const bucket = this.#buckets.get(client) ?? { tokens: this.#perMinute, at: now };
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + (now - bucket.at) * perMs);
    bucket.at = now;
    this.#keep(client, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1_000));
    bucket.tokens -= 1;
    return 0;
  }

  #keep(client: string, bucket: Bucket): void {
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size <= CLIENTS) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
