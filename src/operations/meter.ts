import { wholeNumber } from '../cache/log-access.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Cache, CacheEvent, Cause, Clock, Unsubscribe } from '../index.ts';
import { efficiency } from './efficiency.ts';
import type { Histogram } from './histogram.ts';
import { InvalidationCounter } from './invalidation-counter.ts';
import type { LatencyState } from './latency.ts';
import { LogCounter } from './log-counter.ts';
import type { Metrics, MetricsOptions } from './metrics.ts';
import type { ReadLatencies } from './query-metrics.ts';
import { ReadCounters } from './read-counters.ts';
import { StoreCounter } from './store-counter.ts';
import { between, type Moment, type Window } from './window.ts';

/** Everything that is measured, as it is kept. */
export interface Histograms {
  /** Of all queries together, and of each. */
  readonly reads: ReadLatencies<Histogram>;
  readonly queries: readonly (ReadLatencies<Histogram> & { readonly query: string })[];
  readonly store: Histogram;
  readonly invalidate: Histogram;
  readonly publish: Histogram;
  readonly delay: Histogram;
}

/** All that one stretch of time has counters for. */
interface Counters {
  readonly since: number;
  readonly reads: ReadCounters;
  readonly store: StoreCounter;
  readonly invalidations: InvalidationCounter;
  readonly log: LogCounter;
  readonly failures: { lease: number; places: number };
}

/** Counts what happens in a cache: a listener to its events, but for hits, which the cache counts itself. */
export class Meter {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #options: Required<MetricsOptions>;
  readonly #stop: Unsubscribe | undefined;
  #counters: Counters;

  /** @param options `false`: it hears of nothing, and knows the hits alone; @throws TidemarkError `INVALID_OPTION` */
  constructor(cache: Cache, options: MetricsOptions | false = {}) {
    this.#cache = cache;
    const { context, node } = cache.parts;
    this.#clock = context.clock;
    this.#node = node;
    this.#options = checked(options === false ? {} : options);
    this.#counters = this.#begin();
    if (options !== false) this.#stop = cache.on((event) => this.#count(event), { except: ['hit'] });
  }

  metrics(): Metrics {
    const { since, reads, store, invalidations, log, failures } = this.#counters;
    const { attached, position, provenAge, queued, tableFill, entries, bytes, loading } = this.#cache.status();
    const { total, queries } = reads.metrics();
    const stored = store.metrics();
    const storeFailures = stored.failures.get + stored.failures.set + stored.failures.reclaim;
    const { evicted } = total;
    return {
      ...{ name: this.#cache.name, node: this.#node, since, at: this.#clock.wall(), total, queries },
      memory: { entries, bytes, evicted, loading },
      store: stored,
      invalidations: invalidations.metrics(this.#clock.monotonic()),
      log: { attached, position, provenAge, queued, tableFill, ...log.metrics() },
      failures: { ...failures },
      efficiency: efficiency({ queries, total, evicted, storeFailures }),
    };
  }

  reset(): void {
    this.#counters = this.#begin();
  }

  /** What is measured since the start or the last reset, to be read and not kept. */
  histograms(): Histograms {
    const { reads, store, invalidations, log } = this.#counters;
    return {
      reads: reads.total.times(reads.totalHits()),
      queries: reads.times(),
      ...{ store: store.latency, invalidate: invalidations.latency, publish: log.publish, delay: log.delay },
    };
  }

  /** What all reads took, for reports of nodes that are merged, see `mergeLatency`. */
  states(): ReadLatencies<LatencyState> {
    const { memory, store, loader, read, load } = this.histograms().reads;
    return {
      ...{ memory: memory.state, store: store.state, loader: loader.state },
      ...{ read: read.state, load: load.state },
    };
  }

  /** This moment, to ask later what happened since. */
  mark(): Moment {
    const { reads, invalidations } = this.#counters;
    const { total } = reads;
    const hits = reads.totalHits();
    const { memory, store, loader } = total.times(hits);
    return {
      ...{ start: reads, at: this.#clock.monotonic(), hits, invalidations: invalidations.total },
      ...{ missed: total.missed, loads: total.loads, loadFailures: total.loadFailures, evicted: total.evicted },
      ...{ memory: memory.copy(), store: store.copy(), loader: loader.copy() },
    };
  }

  /** What happened since a mark; where there was a reset since, what happened since that. */
  since(mark: Moment): Window {
    return between(mark, this.mark());
  }

  close(): void {
    this.#stop?.();
  }

  #begin(): Counters {
    return {
      since: this.#clock.wall(),
      reads: new ReadCounters(this.#cache, this.#options.queries),
      store: new StoreCounter(),
      invalidations: new InvalidationCounter(this.#options),
      log: new LogCounter(this.#node),
      failures: { lease: 0, places: 0 },
    };
  }

  #count(event: CacheEvent): void {
    const { reads, store, invalidations, log, failures } = this.#counters;
    switch (event.type) {
      case 'stored':
        return store.stored(event);
      case 'store-failed':
        return store.failed(event.operation);
      case 'lease-failed':
        failures.lease++;
        return;
      case 'places-failed':
        failures.places++;
        return;
      case 'invalidated':
        return invalidations.invalidated(event, this.#clock.wall());
      case 'overflowed':
        return invalidations.overflowed(event.dropped);
      case 'applied':
        invalidations.applied(event.record, this.#clock.monotonic());
        return log.count(event, this.#clock.wall());
      case 'sent':
      case 'attached':
      case 'detached':
      case 'epoch':
      case 'resync':
      case 'queued':
      case 'options-differ':
        return log.count(event, this.#clock.wall());
      case 'migrated':
      case 'not-migrated':
        return;
      default:
        return reads.count(event);
    }
  }
}

const NAMES = ['queries', 'entityTypes', 'tenants', 'tenant'];

function checked(options: MetricsOptions): Required<MetricsOptions> {
  checkKnown(options, NAMES, 'metrics');
  const { queries = 100, entityTypes = 50, tenants = 50, tenant = tenantOf } = options;
  if (typeof tenant !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `metrics.tenant: ${shorten(tenant)} is not a function. Give one that returns the tenant of a cause, or undefined.`,
    );
  return {
    queries: wholeNumber(queries, 'metrics.queries'),
    entityTypes: wholeNumber(entityTypes, 'metrics.entityTypes'),
    tenants: wholeNumber(tenants, 'metrics.tenants'),
    tenant,
  };
}

function tenantOf(cause: Cause | undefined): string | undefined {
  return cause?.fields?.['org'] ?? cause?.fields?.['tenant'];
}
