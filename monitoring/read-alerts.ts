import { healthSettings } from '../src/operations/health-options.ts';
import { THRESHOLDS } from '../src/operations/index.ts';
import { alert, type AlertGroup, levels } from './alert.ts';

const { leastReads } = healthSettings({});
/** Fewer loads a minute say nothing about how many fail, as for health. */
const LEAST_LOADS = 10;

const OF_CACHE = 'sum by (job, cache)';
const HITS = `${OF_CACHE} (rate(@hits_total[5m]))`;
const READS = `(${HITS} + ${OF_CACHE} (rate(@missed_total[5m])))`;
const ENOUGH = `and on (job, cache) 60 * ${READS} >= ${leastReads}`;
const LOADS = `${OF_CACHE} (rate(@loads_total[5m]))`;

/**
 * Buckets of all reads. Of those that memory answers at once a part is measured: here it stands for all of them. Where none was, all
 * are in the fastest bucket.
 *
 * @param labels that they are grouped by, besides `le`
 */
export function readBuckets(labels: readonly string[], window: string): string {
  const sum = (by: readonly string[], of: string): string =>
    `sum${by.length === 0 ? '' : ` by (${by.join(', ')})`} (rate(${of}[${window}]))`;
  const slices = [...labels, 'le'];
  const measured = sum(slices, '@read_duration_seconds_bucket{from="memory"}');
  const share = `(${measured} / ${each(labels)} (${sum(labels, '@read_duration_seconds_count{from="memory"}')} > 0) or 0 * ${measured} + 1)`;
  const others = sum(slices, '@read_duration_seconds_bucket{from!="memory"}');
  return `(${others} + ${share} * ${each(labels)} ${sum(labels, '@hits_total{tier="memory"}')})`;
}

/** One of the right side for each group of the left. */
function each(labels: readonly string[]): string {
  return `on (${labels.join(', ')}) group_left ()`;
}

/** What readers see. One alert for each cache, over all its nodes. */
export const readAlerts: AlertGroup = {
  name: 'tidemark-reads',
  alerts: [
    ...levels({
      name: 'TidemarkHitRateLow',
      ...{ threshold: THRESHOLDS.hitRate, better: 'more', for: '10m' },
      value: `${HITS} / ${READS}`,
      where: ENOUGH,
      summary: 'Too few reads of cache {{ $labels.cache }} are hits',
      says: `{{ $value | humanizePercentage }} of all reads are hits; healthy is above ${100 * THRESHOLDS.hitRate.degraded} %.`,
      action:
        'Look at the misses by query and reason on the dashboard: short TTLs, too little memory, too much invalidated.',
    }),
    ...levels({
      name: 'TidemarkReadsSlow',
      ...{ threshold: THRESHOLDS.latencyP95, better: 'less', unit: 1_000, for: '5m' },
      value: `histogram_quantile(0.95, ${readBuckets(['job', 'cache'], '5m')})`,
      where: ENOUGH,
      summary: 'Reads of cache {{ $labels.cache }} are slow',
      says: `The slowest 5 % of reads take {{ $value | humanizeDuration }} or more; healthy is below ${THRESHOLDS.latencyP95.degraded} ms.`,
      action:
        'Compare the latencies of loaders and of the store on the dashboard; refresh before the TTL ends (`eagerRefresh`), or give `softTimeout` with `grace`.',
    }),
    ...levels({
      name: 'TidemarkLoadsFailing',
      ...{ threshold: THRESHOLDS.failedLoads, better: 'less', for: '2m' },
      value: `${OF_CACHE} (rate(@loads_total{outcome="failed"}[5m])) / ${LOADS}`,
      where: `and on (job, cache) 60 * ${LOADS} >= ${LEAST_LOADS}`,
      summary: 'Loads of cache {{ $labels.cache }} fail',
      says: '{{ $value | humanizePercentage }} of all loads have failed.',
      action: "Look at the source; the event 'load-failed' has the errors.",
    }),
    ...levels({
      name: 'TidemarkMemoryTooSmall',
      ...{ threshold: THRESHOLDS.evictions, better: 'less', for: '10m' },
      value:
        '60 * sum by (job, instance, cache) (rate(@evictions_total[5m])) / sum by (job, instance, cache) (@memory_entries)',
      where: `and on (job, cache) ${HITS} / ${READS} <= ${THRESHOLDS.hitRate.degraded} ${ENOUGH}`,
      summary: 'Memory of a node of cache {{ $labels.cache }} is too small',
      says: '{{ $labels.instance }} evicts {{ $value | humanizePercentage }} of its entries in a minute, while too few reads are hits.',
      action: 'Raise memory.maxEntries or memory.maxBytes.',
    }),
  ],
};

/** What the samples say: whether what is served is what the source has. */
export const consistencyAlerts: AlertGroup = {
  name: 'tidemark-consistency',
  alerts: [
    ...levels({
      name: 'TidemarkConsistencyLow',
      ...{ threshold: THRESHOLDS.consistency, better: 'more', unit: 100, for: '1m' },
      value: '@consistency_ratio',
      summary: 'Cache {{ $labels.cache }} serves what its source does not have',
      says: `The consistency score of {{ $labels.instance }} is {{ $value | humanizePercentage }}; healthy is above ${THRESHOLDS.consistency.degraded} %.`,
      action: 'Read the stories of the violations, at /admin/cache/samples or by `operations.sampler.report()`.',
    }),
    alert({
      name: 'TidemarkViolation',
      severity: 'warning',
      expr: '@standing_violations > 0',
      summary: 'A write has passed cache {{ $labels.cache }} by',
      says: '{{ $labels.instance }} has served {{ $value }} values that differ from their source, and nothing has invalidated them.',
      action:
        'The story of each names its key and its labels: find who writes without invalidating, or let capture read the database.',
    }),
  ],
};
