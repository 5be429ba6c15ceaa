import type { CacheEvent, From } from '../index.ts';
import { Histogram } from './histogram.ts';
import { type Hits, hitRate, type QueryMetrics, type ReadLatencies } from './query-metrics.ts';

/** An event about a read. */
export type ReadEvent = Extract<CacheEvent, { readonly query: string | undefined }>;

/** Counts what becomes of the reads of one query. Hits are counted by the cache. */
export class QueryCounter {
  readonly query: string;
  readonly #times: Readonly<Record<From | 'load', Histogram>> = {
    memory: new Histogram(),
    store: new Histogram(),
    loader: new Histogram(),
    load: new Histogram(),
  };
  readonly #misses = {
    ...{ absent: 0, expired: 0, detached: 0, token: 0, epoch: 0, floor: 0, label: 0, ban: 0 },
    ...{ announcement: 0, queued: 0, young: 0 },
  };
  readonly #stale = { maxStaleness: 0, grace: 0, softTimeout: 0, detached: 0 };
  readonly #shadow = { miss: 0, same: 0, changed: 0, differed: 0, unknown: 0 };
  readonly #counts = { loads: 0, loadFailures: 0, joined: 0, rejoined: 0, refreshes: 0, evicted: 0 };
  /** Memory had nothing for them, and the store had. */
  #fromStore = 0;

  constructor(query: string) {
    this.query = query;
  }

  count(event: ReadEvent): void {
    switch (event.type) {
      case 'hit':
      case 'fallback':
        return;
      case 'read':
        if (event.from === 'store') this.#fromStore++;
        return this.#times[event.from].record(event.ms);
      case 'miss':
        this.#misses[event.reason]++;
        return;
      case 'stale':
        this.#stale[event.why]++;
        return;
      case 'shadow':
        this.#shadow[event.outcome]++;
        return;
      case 'loaded':
        this.#counts.loads++;
        return this.#times.load.record(event.ms);
      case 'load-failed':
        this.#counts.loadFailures++;
        return this.#times.load.record(event.ms);
      case 'joined':
        this.#counts.joined++;
        return;
      case 'rejoined':
        this.#counts.rejoined++;
        return;
      case 'refresh':
        this.#counts.refreshes++;
        return;
      case 'evicted':
        this.#counts.evicted++;
        return;
      default:
        event satisfies never;
    }
  }

  get missed(): number {
    const misses = Object.values(this.#misses).reduce((sum, it) => sum + it, 0);
    return Math.max(0, misses - this.#fromStore);
  }

  get loads(): number {
    return this.#counts.loads;
  }

  get loadFailures(): number {
    return this.#counts.loadFailures;
  }

  get evicted(): number {
    return this.#counts.evicted;
  }

  /** Of reads; those of memory are measured of a part of them only. */
  times(hits: Hits): ReadLatencies<Histogram> {
    const { memory, store, loader } = this.#times;
    const read = new Histogram();
    read.addPart(memory, hits.memory);
    read.add(store);
    read.add(loader);
    return { ...this.#times, read };
  }

  metrics(hits: Hits): QueryMetrics {
    const { missed } = this;
    const { memory, store, loader, read, load } = this.times(hits);
    return {
      query: this.query,
      hits: { memory: hits.memory, store: hits.store },
      misses: { ...this.#misses },
      missed,
      hitRate: hitRate(hits, missed),
      ...this.#counts,
      promotions: hits.promotions,
      stale: { ...this.#stale },
      shadow: { ...this.#shadow },
      latency: {
        ...{ memory: memory.latency, store: store.latency, loader: loader.latency },
        ...{ read: read.latency, load: load.latency },
      },
    };
  }
}
