import { Histogram } from './histogram.ts';
import type { Latency } from './latency.ts';
import { type Hits, hitRate } from './query-metrics.ts';

/** What happened in a stretch of time. */
export interface Window {
  /** How long it was, in ms. */
  readonly ms: number;
  readonly hits: number;
  readonly missed: number;
  /** 0 to 1; `undefined` without a read. */
  readonly hitRate: number | undefined;
  readonly loads: number;
  readonly loadFailures: number;
  readonly evicted: number;
  readonly invalidations: number;
  /** Of all reads, those that memory answers with their true weight. */
  readonly latency: Latency;
  /** What that is of, to be merged with that of other nodes. */
  readonly reads: Histogram;
}

/** Counts since the start or a reset, as of one moment. */
export interface Moment {
  /** Stands for that start. */
  readonly start: object;
  /** Of a monotonic clock, in ms. */
  readonly at: number;
  readonly hits: Hits;
  readonly missed: number;
  readonly loads: number;
  readonly loadFailures: number;
  readonly evicted: number;
  readonly invalidations: number;
  /** Reads by where they were answered. Not written to any more. */
  readonly memory: Histogram;
  readonly store: Histogram;
  readonly loader: Histogram;
}

/** What happened between two moments; of moments with a reset between, since that. */
export function between(before: Moment, now: Moment): Window {
  const from = before.start === now.start ? before : { ...beginning(now), at: before.at };
  const memoryHits = now.hits.memory - from.hits.memory;
  const hits = { memory: memoryHits, store: now.hits.store - from.hits.store };
  const missed = Math.max(0, now.missed - from.missed);
  const memory = now.memory.since(from.memory);
  const latency = now.store.since(from.store);
  latency.add(now.loader.since(from.loader));
  latency.addPart(memory, memoryHits);
  return {
    ...{ ms: now.at - from.at, hits: hits.memory + hits.store, missed, hitRate: hitRate(hits, missed) },
    loads: now.loads - from.loads,
    loadFailures: now.loadFailures - from.loadFailures,
    evicted: now.evicted - from.evicted,
    invalidations: now.invalidations - from.invalidations,
    ...{ latency: latency.latency, reads: latency },
  };
}

function beginning({ start, at }: Moment): Moment {
  return {
    ...{ start, at, hits: { memory: 0, store: 0, promotions: 0 } },
    ...{ missed: 0, loads: 0, loadFailures: 0, evicted: 0, invalidations: 0 },
    ...{ memory: new Histogram(), store: new Histogram(), loader: new Histogram() },
  };
}
