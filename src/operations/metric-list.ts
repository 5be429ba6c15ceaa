import type { ServerReport } from '../index.ts';
import { healthMetrics } from './health-metrics.ts';
import type { Histograms } from './meter.ts';
import { by, each, type MetricDefinition, one } from './metric-definition.ts';
import { counter, gauge, histogram, type MetricSource } from './metric-source.ts';
import type { Metrics } from './metrics.ts';

const queries = ({ metrics }: MetricSource): Metrics['queries'] => metrics.queries;
const measured = ({ histograms }: MetricSource): Histograms['queries'] => histograms.queries;

const BY_QUERY = ['query'];

const ofReads: readonly MetricDefinition<MetricSource>[] = [
  counter(
    'hits_total',
    ['query', 'tier'],
    'Reads that memory answered, and reads or shared flights that the store answered.',
    each(queries, ({ hits }) => ({ ...hits }), 'tier'),
  ),
  counter(
    'misses_total',
    ['query', 'reason'],
    'Reads for which memory had nothing to serve, by why.',
    each(queries, ({ misses }) => misses, 'reason'),
  ),
  counter(
    'missed_total',
    BY_QUERY,
    'Reads for which no tier had anything to serve.',
    each(queries, (it) => it.missed),
  ),
  counter(
    'loads_total',
    ['query', 'outcome'],
    'Runs of loaders that have ended.',
    each(queries, ({ loads, loadFailures }) => ({ ok: loads, failed: loadFailures }), 'outcome'),
  ),
  counter(
    'joined_total',
    BY_QUERY,
    'Reads that shared a load under way.',
    each(queries, (it) => it.joined),
  ),
  counter(
    'rejoined_total',
    BY_QUERY,
    'Reads that loaded again, since the load that they had shared was too old for them.',
    each(queries, (it) => it.rejoined),
  ),
  counter(
    'refreshes_total',
    BY_QUERY,
    'Loads in the background.',
    each(queries, (it) => it.refreshes),
  ),
  counter(
    'promotions_total',
    BY_QUERY,
    'Entries that came from the store into memory.',
    each(queries, (it) => it.promotions),
  ),
  counter(
    'evictions_total',
    BY_QUERY,
    'Entries that memory had no place for any more.',
    each(queries, (it) => it.evicted),
  ),
  counter(
    'stale_reads_total',
    ['query', 'why'],
    'Reads that were given an old value that they tolerate.',
    each(queries, ({ stale }) => ({ ...stale }), 'why'),
  ),
  counter(
    'shadow_reads_total',
    ['query', 'outcome'],
    'Reads in shadow mode, by what they found of the cache.',
    each(queries, ({ shadow }) => ({ ...shadow }), 'outcome'),
  ),
  histogram(
    'read_duration_seconds',
    ['query', 'from'],
    'How long reads took, by where the value came from; of one in 128 of those that memory answers at once.',
    each(measured, ({ memory, store, loader }) => ({ memory, store, loader }), 'from'),
  ),
  histogram(
    'load_duration_seconds',
    BY_QUERY,
    'How long loaders took, those that failed included.',
    each(measured, (it) => it.load),
  ),
];

const ofTiers: readonly MetricDefinition<MetricSource>[] = [
  gauge(
    'memory_entries',
    [],
    'Entries in memory.',
    one(({ metrics }) => metrics.memory.entries),
  ),
  gauge(
    'memory_bytes',
    [],
    'Bytes in memory, where memory is bounded by them.',
    one(({ metrics }) => metrics.memory.bytes),
  ),
  gauge(
    'loads_running',
    [],
    'Loads that run now.',
    one(({ metrics }) => metrics.memory.loading),
  ),
  counter(
    'store_writes_total',
    [],
    'Entries that were written to the store.',
    one(({ metrics }) => metrics.store.writes),
  ),
  counter(
    'store_written_bytes_total',
    [],
    'Bytes of them.',
    one(({ metrics }) => metrics.store.bytesWritten),
  ),
  counter(
    'store_failures_total',
    ['operation'],
    'Requests to the store that failed, or that it refused.',
    by('operation', ({ metrics }) => ({ ...metrics.store.failures })),
  ),
  histogram(
    'store_write_duration_seconds',
    [],
    'How long writes to the store took.',
    one((it) => it.histograms.store),
  ),
  counter(
    'lease_failures_total',
    [],
    'Leases that could not be asked for: processes may load the same key at once.',
    one(({ metrics }) => metrics.failures.lease),
  ),
  counter(
    'places_failures_total',
    [],
    "Times that the fleet's places for loads could not be asked for.",
    one(({ metrics }) => metrics.failures.places),
  ),
  gauge(
    'efficiency_ratio',
    [],
    'The share of the time that readers would have waited for loaders, and did not.',
    one(({ metrics: { efficiency } }) => (efficiency.score === undefined ? undefined : efficiency.score / 100)),
  ),
];

const ofInvalidations: readonly MetricDefinition<MetricSource>[] = [
  counter(
    'invalidations_total',
    [],
    'Calls of invalidate on this node.',
    one(({ metrics }) => metrics.invalidations.total),
  ),
  counter(
    'invalidation_targets_total',
    ['kind'],
    'Their targets.',
    by('kind', ({ metrics }) => ({ ...metrics.invalidations.byKind })),
  ),
  counter(
    'entity_invalidations_total',
    ['entity_type'],
    'Calls of invalidate, by the type of entity that their cause names.',
    by('entity_type', ({ metrics }) => metrics.invalidations.byEntityType),
  ),
  gauge(
    'tenant_invalidations',
    ['tenant'],
    'Records of the whole fleet in the last minute, by tenant: every node that has applied them tells the same.',
    by('tenant', ({ metrics }) => metrics.invalidations.byTenant),
  ),
  counter(
    'invalidations_queued_total',
    [],
    'Calls of invalidate whose record the log did not take in time.',
    one(({ metrics }) => metrics.invalidations.queued),
  ),
  counter(
    'invalidations_overflowed_total',
    [],
    'Queued records that were replaced by one that covers everything.',
    one(({ metrics }) => metrics.invalidations.overflowed),
  ),
  counter(
    'store_reclaimed_total',
    [],
    'Entries that were taken from the store at once.',
    one(({ metrics }) => metrics.invalidations.removed),
  ),
  histogram(
    'invalidation_duration_seconds',
    [],
    'How long calls of invalidate took.',
    one((it) => it.histograms.invalidate),
  ),
  gauge(
    'last_invalidation_timestamp_seconds',
    [],
    'When the last call of invalidate returned.',
    one(({ metrics: { invalidations } }) => invalidations.last && invalidations.last.at / 1_000),
  ),
];

const ofLog: readonly MetricDefinition<MetricSource>[] = [
  gauge(
    'node_info',
    ['node'],
    'Always 1; its label is the name of this node in the fleet.',
    by('node', ({ metrics }) => ({ [metrics.node]: 1 })),
  ),
  gauge(
    'attached',
    [],
    '1 while this node can prove that it knows the log, and serves; else 0.',
    one(({ metrics }) => Number(metrics.log.attached)),
  ),
  gauge(
    'proof_age_seconds',
    [],
    'Since what this node knows of the log was proved.',
    one(({ metrics }) => metrics.log.provenAge / 1_000),
  ),
  gauge(
    'max_lag_seconds',
    [],
    'The greatest age of that proof at which this node serves.',
    one(({ operations }) => operations.cache.status().maxLag / 1_000),
  ),
  gauge(
    'queue_records',
    [],
    'Records that wait to be sent.',
    one(({ metrics }) => metrics.log.queued),
  ),
  gauge(
    'tide_table_fill_ratio',
    [],
    'How much of the tide table has ever been written.',
    one(({ metrics }) => metrics.log.tableFill),
  ),
  counter(
    'records_sent_total',
    [],
    'Records of this node that the log took.',
    one(({ metrics }) => metrics.log.sent),
  ),
  counter(
    'records_applied_total',
    [],
    'Records that this node has applied.',
    one(({ metrics }) => metrics.log.applied),
  ),
  counter(
    'records_received_total',
    [],
    'Those of them that others sent.',
    one(({ metrics }) => metrics.log.received),
  ),
  histogram(
    'publish_duration_seconds',
    [],
    'From the making of a record until the log had taken it.',
    one((it) => it.histograms.publish),
  ),
  histogram(
    'receive_delay_seconds',
    [],
    "From the making of another's record until it was applied here, by the clocks of both machines.",
    one((it) => it.histograms.delay),
  ),
  counter(
    'detachments_total',
    [],
    'Times that this node was cut off from the log.',
    one(({ metrics }) => metrics.log.detachments),
  ),
  counter(
    'epochs_total',
    [],
    'Times that the log began a new epoch: the cache was cold.',
    one(({ metrics }) => metrics.log.epochs),
  ),
  counter(
    'resyncs_total',
    [],
    'Times that the state of the log was copied anew within an epoch.',
    one(({ metrics }) => metrics.log.resyncs),
  ),
];

/** Everything that is told of a node, by whatever way. */
export const metricList: readonly MetricDefinition<MetricSource>[] = [
  ...ofReads,
  ...ofTiers,
  ...ofInvalidations,
  ...ofLog,
  ...healthMetrics,
];

/** `undefined`: it does not answer. */
type Answer = ServerReport | undefined;

function ofServer(
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  read: (report: ServerReport) => number | undefined,
): MetricDefinition<Answer> {
  return { name: `server_${name}`, kind, labels: [], help, read: one((report) => report && read(report)) };
}

/** What the server of the log and the store tells of itself; every node of a fleet tells the same. */
export const serverMetricList: readonly MetricDefinition<Answer>[] = [
  {
    name: 'server_up',
    kind: 'gauge',
    labels: [],
    help: '1 if the server has answered this node, else 0.',
    read: one((report) => Number(report !== undefined)),
  },
  {
    name: 'server_info',
    kind: 'gauge',
    labels: ['server', 'role', 'eviction_policy'],
    help: 'Always 1; its labels are what the server is.',
    read: (report) => {
      if (report === undefined) return [];
      const { server, role = '', evictionPolicy = '' } = report;
      return [{ labels: { server, role, eviction_policy: evictionPolicy }, value: 1 }];
    },
  },
  ofServer('memory_used_bytes', 'gauge', 'Memory that the server uses.', (it) => it.memoryUsed),
  ofServer('memory_limit_bytes', 'gauge', 'Memory that it may use; 0 for no limit.', (it) => it.memoryMost),
  ofServer('clients', 'gauge', 'Its clients.', (it) => it.clients),
  ofServer('keyspace_hits_total', 'counter', "Lookups of anybody's keys that found one.", (it) => it.hits),
  ofServer('keyspace_misses_total', 'counter', "Lookups of anybody's keys that found none.", (it) => it.misses),
  ofServer('evicted_keys_total', 'counter', 'Keys that it has evicted.', (it) => it.evicted),
  ofServer('expired_keys_total', 'counter', 'Keys that have expired.', (it) => it.expired),
  ofServer('uptime_seconds', 'gauge', 'Since it started.', ({ uptime }) => uptime && uptime / 1_000),
  ofServer('replicas', 'gauge', 'Replicas that are attached to it.', (it) => it.replicas),
  ofServer('log_bytes', 'gauge', "Memory of the log's own keys.", (it) => it.logBytes),
  ofServer('log_records', 'gauge', 'Records that can still be read in the log.', (it) => it.logRecords),
];
