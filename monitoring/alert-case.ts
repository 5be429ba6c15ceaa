import type { Alert } from './alert.ts';

/** A series of a scraped node: how it is called, and its values while all is well. */
type Series = readonly [series: string, well: string];

/** Half an hour in which something is wrong, and more than an hour afterwards. */
export const STEP = '1m';
const WRONG = 29;
const AFTER = 74;
/** What counters grow by is said for 15 s, as they are scraped in life. */
const QUARTERS = 4;

/** Values of the half hour: a gauge that stays, a counter that grows by so much in 15 s, or nothing. */
export const stays = (value: number): string => `${value}x${WRONG}`;
export const grows = (by: number): string => `0+${by * QUARTERS}x${WRONG}`;
const missing = `_x${WRONG}`;
/** Was there for a minute. */
const goneAfterAMinute = `1x1 _x${WRONG - 2}`;
const failsAfterAMinute = `1x1 0x${WRONG - 2}`;

const NODE = 'cache="shop",instance="a:1",job="api"';
const QUERY = `${NODE},query="user"`;
const gauge = (name: string, value: number, labels = ''): Series => [
  `tidemark_${name}{${NODE}${labels}}`,
  `${value}x${AFTER}`,
];
const counter = (name: string, by: number, labels = '', of = NODE): Series => [
  `tidemark_${name}{${of}${labels}}`,
  `0+${by * QUARTERS}x${AFTER}`,
];
/** In 15 s: 128 of so many reads of memory are measured, in 10 µs each; those of the store within 5 ms, those of loaders within 50 ms. */
const bucket = (from: string, le: string, by: number): Series =>
  counter('read_duration_seconds_bucket', by, `,from="${from}",le="${le}"`, QUERY);

/** A node with a hundred reads a second, of which one is missed. */
export const WELL: Readonly<Record<string, Series>> = {
  up: ['up{instance="a:1",job="api"}', `1x${AFTER}`],
  attached: gauge('attached', 1),
  proof: gauge('proof_age_seconds', 0.5),
  maxLag: gauge('max_lag_seconds', 2),
  queue: gauge('queue_records', 0),
  detachments: counter('detachments_total', 0),
  epochs: counter('epochs_total', 0),
  overflowed: counter('invalidations_overflowed_total', 0),
  tenant: gauge('tenant_invalidations', 100, ',tenant="t1"'),
  fill: gauge('tide_table_fill_ratio', 0.9),
  label: counter('misses_total', 15, ',reason="label"', QUERY),
  hits: counter('hits_total', 1_500, ',tier="memory"', QUERY),
  missed: counter('missed_total', 15, '', QUERY),
  memoryFast: bucket('memory', '0.05', 12),
  memoryAll: bucket('memory', '+Inf', 12),
  loaderFast: bucket('loader', '0.05', 15),
  loaderSlower: bucket('loader', '0.1', 15),
  loaderSlow: bucket('loader', '1', 15),
  loaderAll: bucket('loader', '+Inf', 15),
  memorySlower: bucket('memory', '0.1', 12),
  memorySlow: bucket('memory', '1', 12),
  loaded: counter('loads_total', 15, ',outcome="ok"', QUERY),
  failed: counter('loads_total', 0, ',outcome="failed"', QUERY),
  evicted: counter('evictions_total', 0, '', QUERY),
  entries: gauge('memory_entries', 1_000),
  consistency: gauge('consistency_ratio', 1),
  violations: gauge('standing_violations', 0),
  storeFailures: counter('store_failures_total', 0, ',operation="get"'),
  serverUp: gauge('server_up', 1),
  used: gauge('server_memory_used_bytes', 500),
  limit: gauge('server_memory_limit_bytes', 1_000),
  server: gauge('server_info', 1, ',eviction_policy="noeviction",role="primary",server="redis 7"'),
  evictedKeys: counter('server_evicted_keys_total', 0),
  breaker: gauge('breaker_state', 0, ',breaker="mail",state="open"'),
  silent: gauge('fleet_nodes', 0, ',status="silent"'),
  relay: gauge('fleet_relays', 1, ',state="active"'),
  relayLag: gauge('relay_lag_seconds', 0.2),
  relayProblem: gauge('relay_problem', 0),
};

/** What is wrong for half an hour, and what is told of it. */
export interface AlertCase {
  readonly alert: string;
  readonly wrong: Readonly<Partial<Record<keyof typeof WELL, string>>>;
  readonly severities: readonly Alert['severity'][];
  /** Labels of the alert, besides its severity. */
  readonly labels: readonly string[];
  /** Its value, as a person reads it. */
  readonly value?: string;
  /** Series of that half hour alone. */
  readonly besides?: Readonly<Record<string, string>>;
}

const LABELS: Readonly<Record<string, string>> = {
  ...{ cache: 'shop', instance: 'a:1', job: 'api', tenant: 't1', breaker: 'mail', eviction_policy: 'allkeys-lru' },
};

export function labelsOf({ labels }: AlertCase): Record<string, string> {
  return Object.fromEntries(labels.map((it) => [it, LABELS[it] ?? '']));
}

const NODES = ['cache', 'instance', 'job'];
const CACHES = ['cache', 'job'];
const one = ['warning'] as const;
const urgent = ['critical'] as const;
const both = ['warning', 'critical'] as const;

export const alertCases: readonly AlertCase[] = [
  { alert: 'TidemarkNodeDetached', wrong: { attached: stays(0) }, severities: urgent, labels: NODES },
  { alert: 'TidemarkDetachesOften', wrong: { detachments: grows(0.2) }, severities: one, labels: NODES, value: '12' },
  { alert: 'TidemarkProofLate', wrong: { proof: stays(1.6) }, severities: one, labels: NODES, value: '80%' },
  {
    ...{ alert: 'TidemarkNodeNotScraped', severities: one, labels: NODES },
    wrong: { attached: goneAfterAMinute, up: failsAfterAMinute },
  },
  { alert: 'TidemarkNodeSilent', wrong: { silent: stays(2) }, severities: one, labels: CACHES, value: '2' },
  { alert: 'TidemarkAbsent', wrong: { attached: missing }, severities: urgent, labels: [] },
  // 1,500 of 1,700 and of 2,100.
  { alert: 'TidemarkHitRateLow', wrong: { missed: grows(200) }, severities: one, labels: CACHES, value: '88.24%' },
  { alert: 'TidemarkHitRateLow', wrong: { missed: grows(600) }, severities: both, labels: CACHES, value: '71.43%' },
  // 6 % of all reads are in the slice from 50 to 100 ms, or in that from 100 ms to 1 s.
  {
    ...{ alert: 'TidemarkReadsSlow', severities: one, labels: CACHES, value: '58.33ms' },
    wrong: { loaderFast: grows(4), loaderSlower: grows(100), loaderSlow: grows(100), loaderAll: grows(100) },
  },
  {
    ...{ alert: 'TidemarkReadsSlow', severities: both, labels: CACHES, value: '250ms' },
    wrong: { loaderFast: grows(4), loaderSlower: grows(4), loaderSlow: grows(100), loaderAll: grows(100) },
  },
  { alert: 'TidemarkLoadsFailing', wrong: { failed: grows(5) }, severities: one, labels: CACHES, value: '25%' },
  { alert: 'TidemarkLoadsFailing', wrong: { failed: grows(45) }, severities: both, labels: CACHES, value: '75%' },
  {
    ...{ alert: 'TidemarkMemoryTooSmall', severities: one, labels: NODES, value: '40%' },
    wrong: { missed: grows(300), evicted: grows(100) },
  },
  {
    alert: 'TidemarkConsistencyLow',
    wrong: { consistency: stays(0.92) },
    severities: one,
    labels: NODES,
    value: '92%',
  },
  {
    alert: 'TidemarkConsistencyLow',
    wrong: { consistency: stays(0.5) },
    severities: both,
    labels: NODES,
    value: '50%',
  },
  { alert: 'TidemarkViolation', wrong: { violations: stays(3) }, severities: one, labels: NODES, value: '3' },
  { alert: 'TidemarkInvalidationsQueued', wrong: { queue: stays(7) }, severities: one, labels: NODES, value: '7' },
  {
    alert: 'TidemarkInvalidationsQueued',
    wrong: { queue: stays(2_000) },
    severities: both,
    labels: NODES,
    value: '2000',
  },
  { alert: 'TidemarkInvalidationsOverflowed', wrong: { overflowed: grows(1) }, severities: one, labels: NODES },
  {
    ...{ alert: 'TidemarkTenantStorm', severities: one, labels: ['cache', 'job', 'tenant'], value: '101' },
    wrong: { tenant: stays(101) },
  },
  { alert: 'TidemarkEpochsOften', wrong: { epochs: grows(0.05) }, severities: one, labels: CACHES, value: '5' },
  {
    ...{ alert: 'TidemarkTideTableFull', severities: one, labels: CACHES, value: '90%' },
    wrong: { label: grows(300) },
  },
  { alert: 'TidemarkStoreFailing', wrong: { storeFailures: grows(5) }, severities: one, labels: NODES, value: '20' },
  { alert: 'TidemarkStoreFailing', wrong: { storeFailures: grows(50) }, severities: both, labels: NODES, value: '200' },
  { alert: 'TidemarkServerDown', wrong: { serverUp: stays(0) }, severities: urgent, labels: CACHES },
  { alert: 'TidemarkServerMemoryShort', wrong: { used: stays(950) }, severities: one, labels: CACHES, value: '95%' },
  { alert: 'TidemarkServerMemoryShort', wrong: { used: stays(990) }, severities: both, labels: CACHES, value: '99%' },
  {
    ...{ alert: 'TidemarkServerMayEvictLog', severities: one, labels: ['cache', 'eviction_policy', 'job'] },
    wrong: {},
    besides: {
      [`tidemark_server_info{${NODE},eviction_policy="allkeys-lru",role="primary",server="redis 7"}`]: stays(1),
    },
  },
  { alert: 'TidemarkServerEvicts', wrong: { evictedKeys: grows(30) }, severities: one, labels: CACHES, value: '2' },
  {
    ...{ alert: 'TidemarkBreakerOpen', severities: one, labels: ['breaker', 'cache', 'job'] },
    wrong: { breaker: stays(1) },
  },
  { alert: 'TidemarkRelayBehind', wrong: { relayLag: stays(8) }, severities: one, labels: CACHES, value: '8s' },
  { alert: 'TidemarkRelayBehind', wrong: { relayLag: stays(90) }, severities: both, labels: CACHES, value: '1m 30s' },
  { alert: 'TidemarkNoRelay', wrong: { relay: stays(0) }, severities: one, labels: CACHES },
  { alert: 'TidemarkRelayProblem', wrong: { relayProblem: stays(1) }, severities: one, labels: CACHES },
];

/** All series of a case: half an hour, and then all is well again. */
export function seriesOf({ wrong, besides = {} }: Pick<AlertCase, 'wrong' | 'besides'>): readonly Series[] {
  const usual = Object.entries(WELL).map(([name, [series, well]]): Series => {
    const before = wrong[name] ?? well.replace(/\d+$/, String(WRONG));
    return [series, `${before} ${well}`];
  });
  return [...usual, ...Object.entries(besides)];
}
