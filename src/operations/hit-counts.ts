import type { Cache } from '../index.ts';
import { type Hits, NO_HITS } from './query-metrics.ts';

/** The path of what is read by key. */
export const KEYS = '(keys)';

type ByQuery = ReadonlyMap<string, Hits>;

/** The hits of a cache since some moment: the cache counts them from its start, whoever looks. */
export class HitCounts {
  readonly #cache: Cache;
  #before: ByQuery = new Map();

  constructor(cache: Cache) {
    this.#cache = cache;
    this.reset();
  }

  reset(): void {
    this.#before = this.#counted();
  }

  /** By the path of the query; versions of a query count together. */
  since(): ByQuery {
    const counted = this.#counted();
    return new Map([...counted].map(([query, now]) => [query, less(now, this.#before.get(query) ?? NO_HITS)]));
  }

  #counted(): ByQuery {
    const sums = new Map<string, Hits>();
    for (const { query = KEYS, memoryHits, storeHits, promotions } of this.#cache.counts())
      sums.set(query, more(sums.get(query) ?? NO_HITS, { memory: memoryHits, store: storeHits, promotions }));
    return sums;
  }
}

export function more(a: Hits, b: Hits): Hits {
  return { memory: a.memory + b.memory, store: a.store + b.store, promotions: a.promotions + b.promotions };
}

function less(a: Hits, b: Hits): Hits {
  return { memory: a.memory - b.memory, store: a.store - b.store, promotions: a.promotions - b.promotions };
}
