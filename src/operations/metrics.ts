import type { Cause, Token } from '../index.ts';
import type { Efficiency } from './efficiency.ts';
import type { Latency } from './latency.ts';
import type { QueryMetrics } from './query-metrics.ts';

/** What is counted, and how many values a label may have. */
export interface MetricsOptions {
  /** Queries with counts of their own, the first of the cache; default 100. The others are one, `(other)`. */
  readonly queries?: number;
  /** Types of entities with a count of their own, the first that are seen; default 50. */
  readonly entityTypes?: number;
  /** Tenants that are named, those with the most invalidations; default 50. */
  readonly tenants?: number;
  /**
   * Whose record it is: of each that this node applies, whoever sent it. `undefined` for nobody's. Default: the cause's field `org`,
   * else its field `tenant`.
   */
  readonly tenant?: (cause: Cause | undefined, targets: readonly string[]) => string | undefined;
}

export type TargetKind = 'key' | 'tag' | 'pattern' | 'everything';

export interface InvalidationMetrics {
  /** Calls of `invalidate` on this node that have returned. */
  readonly total: number;
  /** Their targets. */
  readonly byKind: Readonly<Record<TargetKind, number>>;
  /** Calls by the `entityType` of their cause. */
  readonly byEntityType: Readonly<Record<string, number>>;
  /** Records of the whole fleet that this node has applied in the last minute, by tenant, most first. */
  readonly byTenant: Readonly<Record<string, number>>;
  /** Calls whose record the log did not take in time; they are sent later. */
  readonly queued: number;
  /** Queued records that were replaced by one that covers everything. */
  readonly overflowed: number;
  /** Entries that were taken from the store at once, with `reclaim: 'eager'`. */
  readonly removed: number;
  readonly latency: Latency;
  readonly last:
    | { readonly at: number; readonly targets: readonly string[]; readonly event: string | undefined }
    | undefined;
}

export interface LogMetrics {
  readonly attached: boolean;
  readonly position: Token;
  /** Milliseconds since what this node knows of the log was proved. */
  readonly provenAge: number;
  /** Records that wait to be sent. */
  readonly queued: number;
  /** 0 to 1: how much of the tide table has ever been written. */
  readonly tableFill: number;
  /** Records of this node that the log took, and how long after they were made. */
  readonly sent: number;
  readonly publish: Latency;
  /** Records that this node has applied, and those of them that others sent. */
  readonly applied: number;
  readonly received: number;
  /** From the making of others' records until they were applied here, by the wall clocks of both machines: for people. */
  readonly delay: Latency;
  readonly detachments: number;
  /** Changes of the epoch, the first not counted. */
  readonly epochs: number;
  readonly resyncs: number;
}

/** What a node has counted and measured since its start, or the last reset. */
export interface Metrics {
  readonly name: string;
  readonly node: string;
  /** Milliseconds since 1970: when counting began, and now. */
  readonly since: number;
  readonly at: number;
  readonly total: QueryMetrics;
  readonly queries: readonly QueryMetrics[];
  readonly memory: {
    readonly entries: number;
    readonly bytes: number;
    readonly evicted: number;
    /** Loads that run now. */
    readonly loading: number;
  };
  readonly store: {
    readonly writes: number;
    readonly bytesWritten: number;
    /** Of writes. */
    readonly latency: Latency;
    readonly failures: { readonly get: number; readonly set: number; readonly reclaim: number };
  };
  readonly invalidations: InvalidationMetrics;
  readonly log: LogMetrics;
  readonly failures: { readonly lease: number; readonly places: number };
  readonly efficiency: Efficiency;
}
