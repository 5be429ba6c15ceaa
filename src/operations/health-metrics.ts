import type { BreakerState } from './breaker-event.ts';
import type { BreakerStatus } from './breaker-status.ts';
import { by, type MetricDefinition, type MetricValue, one } from './metric-definition.ts';
import { counter, gauge, type MetricSource } from './metric-source.ts';
import type { HealthStatus } from './reason.ts';

const STATUSES: readonly HealthStatus[] = ['healthy', 'degraded', 'critical'];
const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];

/** 1 for the one that is so, 0 for the others: so that each can be counted over a fleet. */
function oneOf<Name extends string>(names: readonly Name[], present: Name): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, Number(name === present)]));
}

function ofBreakers(read: (status: BreakerStatus) => number): (source: MetricSource) => readonly MetricValue[] {
  return by('breaker', ({ operations }) => Object.fromEntries(operations.breakers().map((it) => [it.name, read(it)])));
}

/** How a node is, how its samples and its breakers are. */
export const healthMetrics: readonly MetricDefinition<MetricSource>[] = [
  gauge(
    'health_status',
    ['status'],
    '1 for what this node is, by its own thresholds and over its own window; 0 for the others.',
    by('status', ({ health }) => oneOf(STATUSES, health.status)),
  ),
  counter(
    'samples_total',
    ['outcome'],
    'What was served and then compared with its source, by what was found.',
    by('outcome', ({ sampled }) => ({ ...sampled?.counts })),
  ),
  gauge(
    'consistency_ratio',
    [],
    'The consistency score of the samples in the window, where there are enough of them.',
    one(({ health: { consistencyScore } }) => consistencyScore && consistencyScore / 100),
  ),
  gauge(
    'standing_violations',
    [],
    'Violations that were found and still stand: nothing has covered or replaced what was served.',
    one(({ operations }) => operations.sampler?.standing().length),
  ),
  gauge(
    'breaker_state',
    ['breaker', 'state'],
    '1 for the state that a circuit breaker is in, 0 for the others.',
    ({ operations }) =>
      operations
        .breakers()
        .flatMap(({ name, state }) =>
          Object.entries(oneOf(STATES, state)).map(([it, value]) => ({ labels: { breaker: name, state: it }, value })),
        ),
  ),
  counter(
    'breaker_opened_total',
    ['breaker'],
    'Times that a breaker has opened, whoever found out.',
    ofBreakers((it) => it.opened),
  ),
  counter(
    'breaker_failures_total',
    ['breaker'],
    'Calls of this process through a breaker that failed or took too long.',
    ofBreakers((it) => it.failures),
  ),
  counter(
    'breaker_refused_total',
    ['breaker'],
    'Calls that a breaker has refused.',
    ofBreakers((it) => it.refused),
  ),
  counter(
    'breaker_fallbacks_total',
    ['breaker'],
    'Calls that were given a fallback.',
    ofBreakers((it) => it.fallbacks),
  ),
];
