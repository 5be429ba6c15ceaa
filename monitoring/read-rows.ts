import { THRESHOLDS } from '../src/operations/index.ts';
import type { PanelQuery, RowPlan } from './panel.ts';
import { readBuckets } from './read-alerts.ts';

const RATE = '[$__rate_interval]';
const HITS = `sum(rate(@hits_total${RATE}))`;
const READS = `(${HITS} + sum(rate(@missed_total${RATE})))`;
const inSeconds = ({ degraded, critical }: { readonly degraded: number; readonly critical: number }) => ({
  degraded: degraded / 1_000,
  critical: critical / 1_000,
});

/** Percentiles over all chosen nodes: their buckets are added, since a mean of percentiles would be of nothing. */
export function percentiles(buckets: string): readonly PanelQuery[] {
  return [50, 95, 99].map((p) => ({ expr: `histogram_quantile(${p / 100}, ${buckets})`, legend: `p${p}` }));
}

export const fleetRow: RowPlan = {
  title: 'Fleet',
  panels: [
    {
      ...{ title: 'Nodes', kind: 'number', unit: 'short' },
      about: 'Nodes that are scraped.',
      queries: [{ expr: 'count(@attached)', legend: 'nodes' }],
    },
    {
      ...{ title: 'Attached', kind: 'number', unit: 'percentunit', better: 'more' },
      threshold: { degraded: 1, critical: 0.5 },
      about: 'Nodes that can prove that what they keep is fresh. The reads of the others go to their loaders.',
      queries: [{ expr: 'avg(@attached)', legend: 'attached' }],
    },
    {
      ...{ title: 'Hit rate', kind: 'number', unit: 'percentunit', better: 'more', threshold: THRESHOLDS.hitRate },
      about: 'Of all reads, those that memory or the store answered.',
      queries: [{ expr: `${HITS} / ${READS}`, legend: 'hits' }],
    },
    {
      ...{ title: 'p95 of reads', kind: 'number', unit: 's', threshold: inSeconds(THRESHOLDS.latencyP95) },
      about: 'The slowest 5 % of all reads took this long or longer.',
      queries: [{ expr: `histogram_quantile(0.95, ${readBuckets([], '$__rate_interval')})`, legend: 'p95' }],
    },
    {
      ...{ title: 'Consistency', kind: 'number', unit: 'percentunit', better: 'more' },
      threshold: { degraded: THRESHOLDS.consistency.degraded / 100, critical: THRESHOLDS.consistency.critical / 100 },
      about: 'The lowest score of any node: what was served, compared with its source.',
      queries: [{ expr: 'min(@consistency_ratio)', legend: 'score' }],
    },
    {
      ...{ title: 'Waiting to be sent', kind: 'number', unit: 'short', threshold: THRESHOLDS.queued },
      about: 'Invalidations that the log has not taken yet: other nodes do not know of them.',
      queries: [{ expr: 'sum(@queue_records)', legend: 'records' }],
    },
    {
      ...{ title: 'Nodes by status', kind: 'areas', unit: 'short' },
      about: 'What each node says of itself, by its own thresholds.',
      queries: [{ expr: 'sum by (status) (@health_status)', legend: '{{status}}' }],
    },
    {
      ...{ title: 'Age of the proof', unit: 's' },
      about: 'Since what a node knows of the log was proved. At maxLag it is detached.',
      queries: [
        { expr: 'max by (instance) (@proof_age_seconds)', legend: '{{instance}}' },
        { expr: 'min(@max_lag_seconds)', legend: 'maxLag' },
      ],
    },
    {
      ...{ title: 'Nodes as the fleet knows them', kind: 'areas', unit: 'short' },
      about:
        'From the reports of all nodes, those that Prometheus does not scrape included. Silent: listed, and says nothing.',
      queries: [{ expr: 'max by (status) (@fleet_nodes)', legend: '{{status}}' }],
    },
    {
      ...{ title: 'Nodes', kind: 'table', unit: 'short' },
      about: 'Each node, as it was scraped last.',
      queries: [
        { expr: 'sum by (instance, cache, node) (@node_info)', legend: 'scraped' },
        { expr: 'sum by (instance, cache) (@attached)', legend: 'attached' },
        { expr: 'sum by (instance, cache) (@proof_age_seconds)', legend: 'proof age (s)' },
        { expr: 'sum by (instance, cache) (@queue_records)', legend: 'waiting' },
        { expr: 'sum by (instance, cache) (@memory_entries)', legend: 'entries' },
        { expr: 'sum by (instance, cache) (@efficiency_ratio)', legend: 'efficiency' },
      ],
    },
  ],
};

export const readRow: RowPlan = {
  title: 'Reads',
  panels: [
    {
      ...{ title: 'Reads', kind: 'areas', unit: 'reqps' },
      about: 'By who answered: memory, the store, or a loader.',
      queries: [
        { expr: `sum by (tier) (rate(@hits_total${RATE}))`, legend: '{{tier}}' },
        { expr: `sum(rate(@missed_total${RATE}))`, legend: 'missed' },
      ],
    },
    {
      ...{ title: 'Hit rate by tier', unit: 'percentunit', most: 1 },
      about: 'Of all reads, those that the tier answered.',
      queries: [
        { expr: `sum by (tier) (rate(@hits_total${RATE})) / scalar(${READS})`, legend: '{{tier}}' },
        { expr: `${HITS} / ${READS}`, legend: 'both' },
      ],
    },
    {
      ...{ title: 'Hit rate by query', unit: 'percentunit', most: 1 },
      about: 'The ten queries with the lowest.',
      queries: [
        {
          expr: `bottomk(10, sum by (query) (rate(@hits_total${RATE})) / (sum by (query) (rate(@hits_total${RATE})) + sum by (query) (rate(@missed_total${RATE}))))`,
          legend: '{{query}}',
        },
      ],
    },
    {
      ...{ title: 'How long reads take', unit: 's' },
      about: 'Of all reads; those that memory answers with their true weight.',
      queries: percentiles(readBuckets([], '$__rate_interval')),
    },
    {
      ...{ title: 'p95 by who answered', unit: 's' },
      about: 'Memory, the store, or a loader.',
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (le, from) (rate(@read_duration_seconds_bucket${RATE})))`,
          legend: '{{from}}',
        },
      ],
    },
    {
      ...{ title: 'Old values that were given', unit: 'reqps' },
      about: 'To readers that tolerate them, by why.',
      queries: [{ expr: `sum by (why) (rate(@stale_reads_total${RATE}))`, legend: '{{why}}' }],
    },
    {
      ...{ title: 'Reads in shadow mode', unit: 'reqps' },
      about: 'By what they found of the cache.',
      queries: [{ expr: `sum by (outcome) (rate(@shadow_reads_total${RATE}))`, legend: '{{outcome}}' }],
    },
  ],
};

export const missRow: RowPlan = {
  title: 'Misses',
  panels: [
    {
      ...{ title: 'Misses by reason', kind: 'areas', unit: 'reqps', width: 12 },
      about:
        'Why memory had nothing to serve: `absent` and `expired` are about memory and TTLs, `label` about invalidations, `detached` about the log.',
      queries: [{ expr: `sum by (reason) (rate(@misses_total${RATE}))`, legend: '{{reason}}' }],
    },
    {
      ...{ title: 'Missed by query', unit: 'reqps', width: 12 },
      about: 'No tier had anything to serve: the ten queries with the most.',
      queries: [{ expr: `topk(10, sum by (query) (rate(@missed_total${RATE})))`, legend: '{{query}}' }],
    },
  ],
};

export const loadRow: RowPlan = {
  title: 'Loads',
  panels: [
    {
      ...{ title: 'Loads', kind: 'areas', unit: 'reqps' },
      about: 'Runs of loaders, by how they ended.',
      queries: [{ expr: `sum by (outcome) (rate(@loads_total${RATE}))`, legend: '{{outcome}}' }],
    },
    {
      ...{ title: 'How long loads take', unit: 's' },
      about: 'Of loaders alone, those that failed included.',
      queries: percentiles(`sum by (le) (rate(@load_duration_seconds_bucket${RATE}))`),
    },
    {
      ...{ title: 'Slowest loads by query', unit: 's' },
      about: 'p95, the ten queries with the highest.',
      queries: [
        {
          expr: `topk(10, histogram_quantile(0.95, sum by (le, query) (rate(@load_duration_seconds_bucket${RATE}))))`,
          legend: '{{query}}',
        },
      ],
    },
    {
      ...{ title: 'Loads that run now', unit: 'short' },
      about: 'By node.',
      queries: [{ expr: 'sum by (instance) (@loads_running)', legend: '{{instance}}' }],
    },
    {
      ...{ title: 'Shared and repeated', unit: 'reqps' },
      about: 'Joined: a read shared a load under way. Rejoined: that was too old for it. Refreshed: in the background.',
      queries: [
        { expr: `sum(rate(@joined_total${RATE}))`, legend: 'joined' },
        { expr: `sum(rate(@rejoined_total${RATE}))`, legend: 'rejoined' },
        { expr: `sum(rate(@refreshes_total${RATE}))`, legend: 'refreshed' },
      ],
    },
    {
      ...{ title: 'Leases and places that were not had', unit: 'reqps' },
      about: 'Then processes may load the same key at once, or more loads run than the fleet has places.',
      queries: [
        { expr: `sum(rate(@lease_failures_total${RATE}))`, legend: 'leases' },
        { expr: `sum(rate(@places_failures_total${RATE}))`, legend: 'places' },
      ],
    },
  ],
};

export const memoryRow: RowPlan = {
  title: 'Memory',
  panels: [
    {
      ...{ title: 'Entries', unit: 'short' },
      about: 'In memory, by node.',
      queries: [{ expr: 'sum by (instance) (@memory_entries)', legend: '{{instance}}' }],
    },
    {
      ...{ title: 'Bytes', unit: 'bytes' },
      about: 'In memory, where it is bounded by them.',
      queries: [{ expr: 'sum by (instance) (@memory_bytes)', legend: '{{instance}}' }],
    },
    {
      ...{ title: 'Evicted and promoted', unit: 'reqps' },
      about: 'Evicted: memory had no place any more. Promoted: came from the store into memory.',
      queries: [
        { expr: `sum(rate(@evictions_total${RATE}))`, legend: 'evicted' },
        { expr: `sum(rate(@promotions_total${RATE}))`, legend: 'promoted' },
      ],
    },
  ],
};
