import type { RowPlan } from './panel.ts';
import { percentiles } from './read-rows.ts';

const RATE = '[$__rate_interval]';

export const storeRow: RowPlan = {
  title: 'Store',
  panels: [
    {
      ...{ title: 'Writes', unit: 'reqps' },
      about: 'Entries; reclaimed are those that were taken from the store at once.',
      queries: [
        { expr: `sum(rate(@store_writes_total${RATE}))`, legend: 'written' },
        { expr: `sum(rate(@store_reclaimed_total${RATE}))`, legend: 'reclaimed' },
      ],
    },
    {
      ...{ title: 'Bytes written', unit: 'Bps' },
      about: 'In a second.',
      queries: [{ expr: `sum(rate(@store_written_bytes_total${RATE}))`, legend: 'bytes' }],
    },
    {
      ...{ title: 'How long writes take', unit: 's' },
      about: 'No reader waits for them.',
      queries: percentiles(`sum by (le) (rate(@store_write_duration_seconds_bucket${RATE}))`),
    },
    {
      ...{ title: 'Failures', unit: 'reqps' },
      about: 'Requests to the store that failed, or that it refused.',
      queries: [{ expr: `sum by (operation) (rate(@store_failures_total${RATE}))`, legend: '{{operation}}' }],
    },
  ],
};

/** Every node tells the same of it: the highest is taken. */
export const serverRow: RowPlan = {
  title: 'Server',
  panels: [
    {
      ...{ title: 'Up', kind: 'number', unit: 'short', better: 'more', threshold: { degraded: 1, critical: 1 } },
      about: 'Whether it answers any node.',
      queries: [{ expr: 'max(@server_up)', legend: 'up' }],
    },
    {
      ...{ title: 'Server', kind: 'table', unit: 'short', width: 12 },
      about: 'What it is.',
      queries: [
        { expr: 'max by (cache, server, role, eviction_policy) (@server_info)', legend: 'is' },
        { expr: 'max by (cache) (@server_uptime_seconds)', legend: 'up for (s)' },
        { expr: 'max by (cache) (@server_replicas)', legend: 'replicas' },
      ],
    },
    {
      ...{ title: 'Memory', unit: 'bytes' },
      about: 'In use, and the most that it may use, where it has a limit.',
      queries: [
        { expr: 'max by (cache) (@server_memory_used_bytes)', legend: '{{cache}}' },
        { expr: 'max by (cache) (@server_memory_limit_bytes) > 0', legend: '{{cache}} limit' },
      ],
    },
    {
      ...{ title: 'Clients', unit: 'short' },
      about: 'Of anybody.',
      queries: [{ expr: 'max by (cache) (@server_clients)', legend: '{{cache}}' }],
    },
    {
      ...{ title: 'Lookups that found a key', unit: 'percentunit', most: 1 },
      about: "Of anybody's.",
      queries: [
        {
          expr: `max by (cache) (rate(@server_keyspace_hits_total${RATE})) / (max by (cache) (rate(@server_keyspace_hits_total${RATE})) + max by (cache) (rate(@server_keyspace_misses_total${RATE})))`,
          legend: '{{cache}}',
        },
      ],
    },
    {
      ...{ title: 'Evicted and expired', unit: 'reqps' },
      about: 'Keys in a second.',
      queries: [
        { expr: `max by (cache) (rate(@server_evicted_keys_total${RATE}))`, legend: '{{cache}} evicted' },
        { expr: `max by (cache) (rate(@server_expired_keys_total${RATE}))`, legend: '{{cache}} expired' },
      ],
    },
    {
      ...{ title: "Memory of the log's keys", unit: 'bytes' },
      about: 'Stream, tide table and the rest.',
      queries: [{ expr: 'max by (cache) (@server_log_bytes)', legend: '{{cache}}' }],
    },
    {
      ...{ title: 'Records in the log', unit: 'short' },
      about: 'That can still be read.',
      queries: [{ expr: 'max by (cache) (@server_log_records)', legend: '{{cache}}' }],
    },
  ],
};

export const breakerRow: RowPlan = {
  title: 'Circuit breakers',
  panels: [
    {
      ...{ title: 'Not closed', unit: 'short' },
      about: 'Processes in which a breaker is open, or finds out whether what it protects is back.',
      queries: [{ expr: 'sum by (breaker, state) (@breaker_state{state!="closed"})', legend: '{{breaker}} {{state}}' }],
    },
    {
      ...{ title: 'Failed, refused, in place of', unit: 'reqps' },
      about: 'Calls that failed, that were refused, and that were given a fallback.',
      queries: [
        { expr: `sum by (breaker) (rate(@breaker_failures_total${RATE}))`, legend: '{{breaker}} failed' },
        { expr: `sum by (breaker) (rate(@breaker_refused_total${RATE}))`, legend: '{{breaker}} refused' },
        { expr: `sum by (breaker) (rate(@breaker_fallbacks_total${RATE}))`, legend: '{{breaker}} fallback' },
      ],
    },
    {
      ...{ title: 'Opened', unit: 'short' },
      about: 'Times in each five minutes, whoever found out.',
      queries: [{ expr: 'max by (breaker) (increase(@breaker_opened_total[5m]))', legend: '{{breaker}}' }],
    },
  ],
};

export const relayRow: RowPlan = {
  title: 'Relay',
  panels: [
    {
      ...{ title: 'Relays', kind: 'areas', unit: 'short' },
      about: 'One is active where all is well.',
      queries: [
        { expr: 'max by (state) (@fleet_relays)', legend: '{{state}}' },
        { expr: 'max(@relay_problem)', legend: 'does not read' },
      ],
    },
    {
      ...{ title: 'Behind the database', unit: 's' },
      about: 'How long the oldest change that is known of has waited.',
      queries: [{ expr: 'max by (cache) (@relay_lag_seconds)', legend: '{{cache}}' }],
    },
    {
      ...{ title: 'Rows that wait', unit: 'short' },
      about: 'In the outbox.',
      queries: [{ expr: 'max by (cache) (@relay_waiting_rows)', legend: '{{cache}}' }],
    },
  ],
};
