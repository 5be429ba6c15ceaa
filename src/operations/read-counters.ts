import type { Cache } from '../index.ts';
import { HitCounts, KEYS, more } from './hit-counts.ts';
import type { Histogram } from './histogram.ts';
import { OTHER } from './label-values.ts';
import { QueryCounter, type ReadEvent } from './query-counter.ts';
import { type Hits, NO_HITS, type QueryMetrics, type ReadLatencies } from './query-metrics.ts';

/** The name under which all queries are counted together. */
const ALL = '(all)';

/** Counts what becomes of reads, by query and together. */
export class ReadCounters {
  readonly #hits: HitCounts;
  readonly #most: number;
  readonly #byQuery: Map<string, QueryCounter> = new Map([[KEYS, new QueryCounter(KEYS)]]);
  readonly total: QueryCounter = new QueryCounter(ALL);

  /** @param most queries that are counted apart */
  constructor(cache: Cache, most: number) {
    this.#hits = new HitCounts(cache);
    this.#most = most;
  }

  count(event: ReadEvent): void {
    this.total.count(event);
    this.#of(event.query ?? KEYS).count(event);
  }

  totalHits(): Hits {
    return [...this.#hits.since().values()].reduce(more, NO_HITS);
  }

  metrics(): { readonly total: QueryMetrics; readonly queries: readonly QueryMetrics[] } {
    return {
      total: this.total.metrics(this.totalHits()),
      queries: this.#all().map(([counter, hits]) => counter.metrics(hits)),
    };
  }

  times(): readonly (ReadLatencies<Histogram> & { readonly query: string })[] {
    return this.#all().map(([counter, hits]) => ({ query: counter.query, ...counter.times(hits) }));
  }

  /** Each counter with the hits of what it counts; what is read by key is always counted apart, and first. */
  #all(): [QueryCounter, Hits][] {
    const sums = new Map<QueryCounter, Hits>([[this.#of(KEYS), NO_HITS]]);
    for (const [query, hits] of this.#hits.since()) {
      const counter = this.#of(query);
      sums.set(counter, more(sums.get(counter) ?? NO_HITS, hits));
    }
    return [...sums];
  }

  #of(query: string): QueryCounter {
    // What is read by key is there from the start, and no query.
    const named = this.#byQuery.has(query) || this.#byQuery.size <= this.#most;
    const name = named ? query : OTHER;
    let counter = this.#byQuery.get(name);
    if (counter === undefined) this.#byQuery.set(name, (counter = new QueryCounter(name)));
    return counter;
  }
}
