import { THRESHOLDS } from '../src/operations/index.ts';
import { alert, type AlertGroup, levels } from './alert.ts';

const { detached, lag, tenantRate } = THRESHOLDS;

/** Whether nodes follow the log. One alert for each node. */
export const nodeAlerts: AlertGroup = {
  name: 'tidemark-nodes',
  alerts: [
    alert({
      name: 'TidemarkNodeDetached',
      severity: 'critical',
      expr: '@attached == 0',
      for: `${detached.critical / 1_000}s`,
      summary: 'A node of cache {{ $labels.cache }} is detached from the log',
      says: `{{ $labels.instance }} cannot prove that what it keeps is fresh, for more than ${detached.critical / 1_000} s: its reads go to their loaders.`,
      action: 'Look at the server of the log and the connection to it, and at what queues there.',
    }),
    alert({
      name: 'TidemarkDetachesOften',
      severity: 'warning',
      expr: 'increase(@detachments_total[15m]) > 3',
      summary: 'A node of cache {{ $labels.cache }} is detached again and again',
      says: '{{ $labels.instance }} was cut off from the log about {{ $value | humanize }} times in 15 minutes.',
      action:
        'Look for a connection that breaks, an event loop that is blocked, or a maxLag that is too short for this network.',
    }),
    ...levels({
      name: 'TidemarkProofLate',
      ...{ threshold: lag, better: 'less', for: '1m' },
      value: 'avg_over_time(@proof_age_seconds[1m]) / @max_lag_seconds',
      where: 'and @attached == 1',
      summary: 'A node of cache {{ $labels.cache }} hardly keeps up with the log',
      says: 'The proof that {{ $labels.instance }} is up to date is {{ $value | humanizePercentage }} of maxLag old; usual is a quarter.',
      action: "Look at the answers of the log's server, the network, and the event loop of the node.",
    }),
    alert({
      name: 'TidemarkNodeNotScraped',
      severity: 'warning',
      expr: 'max by (job, instance, cache) (last_over_time(@attached[1h])) and on (job, instance) up == 0',
      for: '2m',
      summary: 'A node of cache {{ $labels.cache }} does not answer',
      says: '{{ $labels.instance }} has told its metrics within the last hour, and cannot be scraped now.',
      action: 'Look whether its process lives. What it had queued is lost with it, unless an outbox keeps it.',
    }),
    alert({
      name: 'TidemarkNodeSilent',
      severity: 'warning',
      expr: 'max by (job, cache) (@fleet_nodes{status="silent"}) > 0',
      for: '2m',
      summary: 'Nodes of cache {{ $labels.cache }} are silent',
      says: '{{ $value }} nodes are in the list of the fleet and say nothing of themselves.',
      action:
        'One that was killed is struck off by itself. One that runs is blocked, cut off, or was not given createOperations(cache).',
    }),
    alert({
      name: 'TidemarkAbsent',
      severity: 'critical',
      expr: 'absent(@attached)',
      for: '5m',
      summary: 'No cache tells its metrics',
      says: 'Prometheus knows of no node at all.',
      action: 'Look at the targets of Prometheus, and whether /metrics is served.',
    }),
  ],
};

/** Whether invalidations get to the log, and how many there are. */
export const invalidationAlerts: AlertGroup = {
  name: 'tidemark-invalidations',
  alerts: [
    ...levels({
      name: 'TidemarkInvalidationsQueued',
      ...{ threshold: THRESHOLDS.queued, better: 'less', for: '1m', criticalFor: '0s' },
      value: '@queue_records',
      summary: 'Invalidations of cache {{ $labels.cache }} are not sent',
      says: '{{ $value }} invalidations of {{ $labels.instance }} wait to be sent: other nodes do not know of them.',
      action: 'Bring the server of the log back, and do not end this process before it has sent them.',
    }),
    alert({
      name: 'TidemarkInvalidationsOverflowed',
      severity: 'warning',
      expr: 'increase(@invalidations_overflowed_total[15m]) > 0',
      summary: 'The queue of a node of cache {{ $labels.cache }} was full',
      says: '{{ $labels.instance }} has replaced queued invalidations by one of everything: the whole cache is loaded anew.',
      action: 'Find out why the log took nothing for so long.',
    }),
    alert({
      name: 'TidemarkTenantStorm',
      severity: 'warning',
      expr: `max by (job, cache, tenant) (@tenant_invalidations) > ${tenantRate.degraded}`,
      summary: 'Tenant {{ $labels.tenant }} is invalidated very often',
      says: `Cache {{ $labels.cache }} has had {{ $value }} invalidations of tenant {{ $labels.tenant }} in a minute; ${tenantRate.degraded} are usual at most.`,
      action: 'Find what changes this tenant so often (an import, a loop), and invalidate once for all of it.',
    }),
    alert({
      name: 'TidemarkEpochsOften',
      severity: 'warning',
      expr: 'max by (job, cache) (increase(@epochs_total[1h])) > 2',
      summary: 'The log of cache {{ $labels.cache }} begins anew again and again',
      says: 'It began a new epoch about {{ $value | humanize }} times within an hour; each time the whole cache is cold.',
      action: 'Look whether its server restarts, fails over, is emptied, or evicts keys.',
    }),
    alert({
      name: 'TidemarkTideTableFull',
      severity: 'warning',
      expr: `max by (job, cache) (@tide_table_fill_ratio) > 0.5
        and on (job, cache) sum by (job, cache) (rate(@misses_total{reason="label"}[15m]))
          > 0.1 * sum by (job, cache) (rate(@hits_total[15m]))`,
      for: '15m',
      summary: 'The tide table of cache {{ $labels.cache }} may be too small',
      says: 'It is {{ $value | humanizePercentage }} full, and many misses are of entries that a label covers: some of them only look so, since labels share slots.',
      action: 'Take more slots for the log (`slots`), or invalidate prefixes and tags in place of many keys.',
    }),
  ],
};
