import type { CacheEvent } from '../index.ts';
import { Histogram } from './histogram.ts';
import type { Metrics } from './metrics.ts';

type Stored = Extract<CacheEvent, { readonly type: 'stored' }>;

/** Counts what is written to the store, and what it fails at. */
export class StoreCounter {
  readonly latency: Histogram = new Histogram();
  readonly #counts = { writes: 0, bytesWritten: 0 };
  readonly #failures = { get: 0, set: 0, reclaim: 0 };

  stored({ bytes, ms }: Stored): void {
    this.#counts.writes++;
    this.#counts.bytesWritten += bytes;
    this.latency.record(ms);
  }

  failed(operation: 'get' | 'set' | 'reclaim'): void {
    this.#failures[operation]++;
  }

  metrics(): Metrics['store'] {
    return { ...this.#counts, latency: this.latency.latency, failures: { ...this.#failures } };
  }
}
