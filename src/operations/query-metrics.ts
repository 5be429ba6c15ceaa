import type { MissReason, ShadowOutcome } from '../index.ts';
import type { Latency } from './latency.ts';

/** Why an old value was returned. */
export type StaleReason = 'maxStaleness' | 'grace' | 'softTimeout' | 'detached';

/** What is measured of reads. `memory`, `store`, `loader`: by where the value came from. */
export interface ReadLatencies<T = Latency> {
  /** Of one in 128 of the reads that memory answers at once. */
  readonly memory: T;
  readonly store: T;
  /** What readers have waited for, with what comes before and after the loader. */
  readonly loader: T;
  /** Of all reads together, each group with its true weight. */
  readonly read: T;
  /** Loaders alone, with those in the background, and those that failed. */
  readonly load: T;
}

/** What became of the reads of one query, since the start or the last reset. */
export interface QueryMetrics {
  /**
   * Its path; `(keys)` for what is read by key, `(other)` for all queries beyond `MetricsOptions.queries`, `(all)` for everything
   * together.
   */
  readonly query: string;
  /** Reads that memory answered, and reads (or flights that several share) that the store answered. */
  readonly hits: { readonly memory: number; readonly store: number };
  /** Why memory had nothing to serve. */
  readonly misses: Readonly<Record<MissReason, number>>;
  /** Reads for which no tier had anything that may be served, whoever loaded it; those that were given an old value included. */
  readonly missed: number;
  /** 0 to 1: hits of hits and missed. `undefined` before the first read. */
  readonly hitRate: number | undefined;
  readonly loads: number;
  readonly loadFailures: number;
  /** Reads that shared a load under way, and those of them that loaded again since it was too old for them. */
  readonly joined: number;
  readonly rejoined: number;
  /** Loads in the background. */
  readonly refreshes: number;
  /** Entries that came from the store into memory. */
  readonly promotions: number;
  /** Entries that memory had no place for any more. */
  readonly evicted: number;
  /** Reads that were given an old value that they tolerate. */
  readonly stale: Readonly<Record<StaleReason, number>>;
  readonly shadow: Readonly<Record<ShadowOutcome, number>>;
  readonly latency: ReadLatencies;
}

/** The hits of a query in a stretch of time, by where they were counted. */
export interface Hits {
  readonly memory: number;
  readonly store: number;
  readonly promotions: number;
}

export const NO_HITS: Hits = { memory: 0, store: 0, promotions: 0 };

/** 0 to 1; `undefined` without a read. */
export function hitRate(hits: Pick<Hits, 'memory' | 'store'>, missed: number): number | undefined {
  const found = hits.memory + hits.store;
  return found + missed === 0 ? undefined : found / (found + missed);
}
