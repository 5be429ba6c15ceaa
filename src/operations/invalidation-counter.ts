import { describeTarget } from '../coherence/target.ts';
import type { CacheEvent, LogRecord } from '../index.ts';
import { Histogram } from './histogram.ts';
import { LabelValues } from './label-values.ts';
import type { InvalidationMetrics, MetricsOptions } from './metrics.ts';
import { TenantRate } from './tenant-rate.ts';

/** Targets that are kept of the last call. */
const MOST_TARGETS = 20;

type Invalidated = Extract<CacheEvent, { readonly type: 'invalidated' }>;

/** Counts what this node invalidates, and by tenant what anybody does. */
export class InvalidationCounter {
  readonly latency: Histogram = new Histogram();
  readonly #tenantOf: NonNullable<MetricsOptions['tenant']>;
  readonly #byKind = { key: 0, tag: 0, pattern: 0, everything: 0 };
  readonly #byEntityType: LabelValues;
  readonly #byTenant: TenantRate;
  readonly #counts = { total: 0, queued: 0, overflowed: 0, removed: 0 };
  #last: InvalidationMetrics['last'];

  constructor({ entityTypes, tenants, tenant }: Required<Omit<MetricsOptions, 'queries'>>) {
    this.#byEntityType = new LabelValues(entityTypes);
    this.#byTenant = new TenantRate(tenants);
    this.#tenantOf = tenant;
  }

  get total(): number {
    return this.#counts.total;
  }

  /** @param at milliseconds since 1970 */
  invalidated({ targets, receipt, cause, ms }: Invalidated, at: number): void {
    this.#counts.total++;
    if (receipt.status === 'queued') this.#counts.queued++;
    this.#counts.removed += receipt.removed ?? 0;
    for (const { kind } of targets) this.#byKind[kind]++;
    if (cause?.entityType !== undefined) this.#byEntityType.add(cause.entityType);
    this.latency.record(ms);
    this.#last = { at, targets: targets.slice(0, MOST_TARGETS).map(describeTarget), event: cause?.event };
  }

  overflowed(dropped: number): void {
    this.#counts.overflowed += dropped;
  }

  /** @param now a monotonic clock, in ms */
  applied({ kind, cause, targets = [] }: LogRecord, now: number): void {
    // What announces a write, and what only raises the floor, is no invalidation of anybody's.
    if (kind === 'announce' || kind === 'floor') return;
    const tenant = this.#tenantOf(cause, targets);
    if (typeof tenant === 'string' && tenant !== '') this.#byTenant.add(tenant, now);
  }

  metrics(now: number): InvalidationMetrics {
    return {
      ...this.#counts,
      byKind: { ...this.#byKind },
      byEntityType: this.#byEntityType.counts(),
      byTenant: this.#byTenant.lastMinute(now),
      latency: this.latency.latency,
      last: this.#last,
    };
  }
}
