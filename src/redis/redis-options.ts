import type { Size } from '../cache/size.ts';
import type { Duration } from '../coherence/duration.ts';
import type { RedisClient } from './client.ts';

/** How a fleet shares its log, store and leases on Redis or Valkey. Give `url` or `client`. */
export interface RedisOptions {
  /** `redis://`, `rediss://` (TLS), with user and password where there are any; `ioredis` or `redis` must be installed. */
  readonly url?: string;
  /** A client of ioredis or node-redis, for everything a URL cannot say: Sentinel, Cluster, certificates. */
  readonly client?: RedisClient;
  /**
   * Replicas that must confirm every append and every proof of freshness; default 0. It keeps an isolated old primary
   * from serving or taking anything: give more than the number of replicas that may stay behind with it. The price: a round trip to the
   * replicas in each, and nothing is proved or acknowledged while fewer are reachable.
   */
  readonly replicas?: number;
  /** Bytes of records that can be read again before a node copies the table instead; default `'8mb'`. */
  readonly history?: Size;
  /** Deadline of one exchange with the server, and of an attempt to connect; default `'200ms'`. */
  readonly timeout?: Duration;
  /**
   * `'lazy'` (default): the memory of covered entries is freed by TTL and eviction. `'eager'`: entries are found by index
   * sets and unlinked at once, and receipts say how many; each fill then writes one index entry for each label.
   */
  readonly reclaim?: 'lazy' | 'eager';
}
