import type { RowPlan } from './panel.ts';
import { percentiles } from './read-rows.ts';

const RATE = '[$__rate_interval]';
const JUDGED = 'same|within100ms|within1s|within10s|later|violations';

export const invalidationRow: RowPlan = {
  title: 'Invalidations',
  panels: [
    {
      ...{ title: 'Calls', unit: 'reqps' },
      about: 'Of invalidate; queued: the log did not take them in time.',
      queries: [
        { expr: `sum(rate(@invalidations_total${RATE}))`, legend: 'calls' },
        { expr: `sum(rate(@invalidations_queued_total${RATE}))`, legend: 'queued' },
        { expr: `sum(rate(@invalidations_overflowed_total${RATE}))`, legend: 'overflowed' },
      ],
    },
    {
      ...{ title: 'Targets by kind', kind: 'areas', unit: 'reqps' },
      about: 'Keys, tags, patterns, or everything.',
      queries: [{ expr: `sum by (kind) (rate(@invalidation_targets_total${RATE}))`, legend: '{{kind}}' }],
    },
    {
      ...{ title: 'By type of entity', unit: 'reqps' },
      about: 'The ten with the most calls.',
      queries: [
        {
          expr: `topk(10, sum by (entity_type) (rate(@entity_invalidations_total${RATE})))`,
          legend: '{{entity_type}}',
        },
      ],
    },
    {
      ...{ title: 'By tenant, in the last minute', unit: 'short' },
      about: 'Of the whole fleet: the ten tenants with the most records.',
      queries: [{ expr: 'topk(10, max by (tenant) (@tenant_invalidations))', legend: '{{tenant}}' }],
    },
    {
      ...{ title: 'How long invalidate takes', unit: 's' },
      about: 'Until it returns.',
      queries: percentiles(`sum by (le) (rate(@invalidation_duration_seconds_bucket${RATE}))`),
    },
    {
      ...{ title: 'Since the last one', unit: 's' },
      about: 'By node.',
      queries: [{ expr: 'time() - max by (instance) (@last_invalidation_timestamp_seconds)', legend: '{{instance}}' }],
    },
  ],
};

export const logRow: RowPlan = {
  title: 'Log',
  panels: [
    {
      ...{ title: 'From a write to the other nodes', unit: 's' },
      about: "From the making of another's record until it was applied, by the clocks of both machines.",
      queries: percentiles(`sum by (le) (rate(@receive_delay_seconds_bucket${RATE}))`),
    },
    {
      ...{ title: 'Until the log has taken a record', unit: 's' },
      about: 'From its making.',
      queries: percentiles(`sum by (le) (rate(@publish_duration_seconds_bucket${RATE}))`),
    },
    {
      ...{ title: 'Records', unit: 'reqps' },
      about: 'Of all chosen nodes together.',
      queries: [
        { expr: `sum(rate(@records_sent_total${RATE}))`, legend: 'sent' },
        { expr: `sum(rate(@records_applied_total${RATE}))`, legend: 'applied' },
        { expr: `sum(rate(@records_received_total${RATE}))`, legend: 'received' },
      ],
    },
    {
      ...{ title: 'Queue', unit: 'short' },
      about: 'Records that wait to be sent, by node.',
      queries: [{ expr: 'sum by (instance) (@queue_records)', legend: '{{instance}}' }],
    },
    {
      ...{ title: 'Detachments, resyncs, epochs', unit: 'short' },
      about: 'In each five minutes. With a new epoch the cache is cold; a resync costs nothing that was cached.',
      queries: [
        { expr: 'sum(increase(@detachments_total[5m]))', legend: 'detachments' },
        { expr: 'sum(increase(@resyncs_total[5m]))', legend: 'resyncs' },
        { expr: 'max(increase(@epochs_total[5m]))', legend: 'epochs' },
      ],
    },
    {
      ...{ title: 'Tide table', unit: 'percentunit', most: 1 },
      about: 'How much of it has ever been written.',
      queries: [{ expr: 'max by (cache) (@tide_table_fill_ratio)', legend: '{{cache}}' }],
    },
  ],
};

/** @param outcomes of samples, that were older */
function nines(outcomes: string): string {
  const older = `sum(increase(@samples_total{outcome=~"${outcomes}"}[$__range]))`;
  const judged = `sum(increase(@samples_total{outcome=~"${JUDGED}"}[$__range]))`;
  // What is expected at most, to 95 %: 3 where none was seen.
  return `clamp_min(-log10((${older} + 3 + 1.65 * sqrt(${older})) / ${judged}), 0)`;
}

export const consistencyRow: RowPlan = {
  title: 'Consistency',
  panels: [
    {
      ...{ title: 'Score', unit: 'percentunit', most: 1 },
      about: 'Of the samples of each node in its window.',
      queries: [{ expr: 'min by (instance) (@consistency_ratio)', legend: '{{instance}}' }],
    },
    {
      ...{ title: 'Samples', kind: 'areas', unit: 'reqps' },
      about: 'What was served and then compared with its source, by what was found.',
      queries: [{ expr: `sum by (outcome) (rate(@samples_total${RATE}))`, legend: '{{outcome}}' }],
    },
    {
      ...{ title: 'Violations that stand', kind: 'number', unit: 'short' },
      threshold: { degraded: 1, critical: Number.POSITIVE_INFINITY },
      about: 'Served values that differ from their source, and nothing has invalidated.',
      queries: [{ expr: 'sum(@standing_violations)', legend: 'violations' }],
    },
    {
      ...{ title: 'Nines within 100 ms', kind: 'number', unit: 'short' },
      about:
        'How many nines the samples of the time shown are sure of: served values that were older than that are rarer. 3 is 99.9 %.',
      queries: [{ expr: nines('within1s|within10s|later|violations'), legend: '100 ms' }],
    },
    {
      ...{ title: 'Nines within 1 s', kind: 'number', unit: 'short' },
      about: 'The same, for a second.',
      queries: [{ expr: nines('within10s|later|violations'), legend: '1 s' }],
    },
    {
      ...{ title: 'Nines within 10 s', kind: 'number', unit: 'short' },
      about: 'The same, for ten seconds.',
      queries: [{ expr: nines('later|violations'), legend: '10 s' }],
    },
  ],
};
