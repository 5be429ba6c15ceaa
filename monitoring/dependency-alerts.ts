import { THRESHOLDS } from '../src/operations/index.ts';
import { SHORT, SHORTEST } from '../src/operations/server-reasons.ts';
import { alert, type AlertGroup, levels } from './alert.ts';

/** The store, and the server of log and store. Every node tells the same of a server. */
export const serverAlerts: AlertGroup = {
  name: 'tidemark-server',
  alerts: [
    ...levels({
      name: 'TidemarkStoreFailing',
      ...{ threshold: THRESHOLDS.storeFailures, better: 'less', for: '1m' },
      value: '60 * sum by (job, instance, cache) (rate(@store_failures_total[5m]))',
      summary: 'The store of cache {{ $labels.cache }} fails',
      says: '{{ $value | humanize }} requests of {{ $labels.instance }} to the store fail in a minute: what they were for is loaded, or not kept.',
      action: "Look at the store's server and its memory limit; the event 'store-failed' has the errors.",
    }),
    alert({
      name: 'TidemarkServerDown',
      severity: 'critical',
      expr: 'max by (job, cache) (@server_up) == 0',
      for: '1m',
      summary: 'The server of cache {{ $labels.cache }} does not answer',
      says: 'It answers no node: all reads go to their loaders, and invalidations are queued.',
      action: 'Bring it back. Until then the source bears all reads: look at its load.',
    }),
    ...levels({
      name: 'TidemarkServerMemoryShort',
      ...{ threshold: { degraded: SHORT, critical: SHORTEST }, better: 'less', for: '5m' },
      value: 'max by (job, cache) (@server_memory_used_bytes / (@server_memory_limit_bytes > 0))',
      where: 'unless on (job, cache) max by (job, cache) (@server_info{eviction_policy=~"volatile-.*"})',
      summary: 'The server of cache {{ $labels.cache }} is short of memory',
      says: 'It uses {{ $value | humanizePercentage }} of its memory, and nothing makes room among the values.',
      action: 'Raise maxmemory, shorten TTLs, or set maxmemory-policy to volatile-lru.',
    }),
    alert({
      name: 'TidemarkServerMayEvictLog',
      severity: 'warning',
      expr: `max by (job, cache, eviction_policy) (@server_info{eviction_policy=~"allkeys-.*"})
        and on (job, cache) max by (job, cache) (@server_memory_limit_bytes) > 0`,
      for: '5m',
      summary: 'The server of cache {{ $labels.cache }} may evict its log',
      says: 'Its maxmemory-policy is {{ $labels.eviction_policy }}: it may evict a key of the log, and the whole cache is cold then.',
      action: 'Set maxmemory-policy to volatile-lru or noeviction, or give the log a server of its own.',
    }),
    alert({
      name: 'TidemarkServerEvicts',
      severity: 'warning',
      expr: 'max by (job, cache) (rate(@server_evicted_keys_total[10m])) > 0',
      for: '10m',
      summary: 'The server of cache {{ $labels.cache }} evicts keys',
      says: 'It evicts {{ $value | humanize }} keys a second, since its memory is full.',
      action: 'Raise maxmemory, or shorten TTLs: what is evicted has to be loaded again.',
    }),
  ],
};

/** Circuit breakers, and the relays of a database. */
export const dependencyAlerts: AlertGroup = {
  name: 'tidemark-dependencies',
  alerts: [
    alert({
      name: 'TidemarkBreakerOpen',
      severity: 'warning',
      expr: 'max by (job, cache, breaker) (@breaker_state{state="open"}) > 0',
      for: '1m',
      summary: 'The breaker {{ $labels.breaker }} is open',
      says: 'Processes of cache {{ $labels.cache }} are refused what is behind the breaker {{ $labels.breaker }}, or are given a fallback.',
      action: 'Look at what it protects; it closes by itself once a probe succeeds.',
    }),
    ...levels({
      name: 'TidemarkRelayBehind',
      ...{ threshold: THRESHOLDS.relayLag, better: 'less', unit: 1_000, for: '1m' },
      value: 'max by (job, cache) (@relay_lag_seconds)',
      summary: 'The relay of cache {{ $labels.cache }} is behind',
      says: 'A change in the database has waited {{ $value | humanizeDuration }} to be told.',
      action:
        'Look at the log of the relay, at long transactions in the database, and at how fast the log takes records.',
    }),
    alert({
      name: 'TidemarkNoRelay',
      severity: 'warning',
      expr: 'max by (job, cache) (@fleet_relays{state="active"}) == 0',
      for: '2m',
      summary: 'No relay of cache {{ $labels.cache }} works',
      says: 'There are relays, and none is active: changes whose writers have died, and those of other programs, reach nobody.',
      action:
        'Look at the logs of the relays: the database or the log may not answer, or another process has the lock.',
    }),
    alert({
      name: 'TidemarkRelayProblem',
      severity: 'warning',
      expr: 'max by (job, cache) (@relay_problem) > 0',
      for: '2m',
      summary: "The relay of cache {{ $labels.cache }} does not read the database's log",
      says: 'What others write to the database is not seen.',
      action: "The relay's status and log say why; mend that, and it goes on by itself.",
    }),
  ],
};
