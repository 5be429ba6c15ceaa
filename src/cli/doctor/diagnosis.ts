import type { BreakerStatus, Metrics, Reason } from '../../operations/index.ts';
import { percent } from '../quantity.ts';
import { databaseFindings } from './database-findings.ts';
import { entryFindings } from './entry-findings.ts';
import type { Facts } from './facts.ts';
import { type Finding, sorted } from './finding.ts';
import { queryFindings } from './query-findings.ts';

/** All that is wrong, of what was looked at. */
export function diagnosis(facts: Facts): readonly Finding[] {
  const { fleet, node, metrics, breakers, samples, explanation, database } = facts;
  const reasons = [...(fleet?.reasons ?? []), ...(node?.reasons ?? [])];
  const told = new Set(reasons.map(({ code }) => code));
  return sorted([
    ...reasons.map(reasonFinding),
    ...(metrics === undefined ? [] : [...queryFindings(metrics), ...tableFindings(metrics)]),
    ...(told.has('breaker') ? [] : (breakers ?? []).flatMap(breakerFinding)),
    ...(explanation === undefined ? [] : entryFindings(explanation, samples)),
    ...(database === undefined ? [] : databaseFindings(database)),
  ]);
}

/** What the reasons of health are called. A newer release may have others. */
const TITLES: Readonly<Partial<Record<string, string>>> = {
  closed: 'The cache is closed',
  'hit-rate': 'Low hit rate',
  latency: 'Slow reads',
  consistency: 'Entries that differ from their source were served',
  violation: 'An entry that differs from its source is served',
  detached: 'Cut off from the log',
  lag: 'Behind the log',
  queue: 'Invalidations wait for the log',
  loads: 'Loaders fail',
  store: 'The store fails',
  breaker: 'A circuit breaker is open',
  eviction: 'Memory is full',
  'tenant-storm': 'One tenant is invalidated again and again',
  'event-loop': 'The process is blocked',
  relay: 'The relay is behind',
  server: 'The server of the log is not as it should be',
  silent: 'A node is silent',
};

function reasonFinding({ code, status, message, recommendation }: Reason): Finding {
  return { code, status, what: TITLES[code] ?? code, evidence: message, cure: recommendation };
}

/** From when on the tide table makes entries look covered that are not: see the sizing rule in docs/redis.md. */
const FULL = { degraded: 0.5, critical: 0.8 };

function tableFindings({ log: { tableFill } }: Metrics): readonly Finding[] {
  if (!(tableFill >= FULL.degraded)) return [];
  // Of three slots of a label all have to be taken.
  const wrongly = percent(tableFill ** 3);
  return [
    {
      code: 'table-fill',
      status: tableFill >= FULL.critical ? 'critical' : 'degraded',
      what: 'The tide table is rather full',
      evidence: `${percent(tableFill)} of its slots were written: up to ${wrongly} of entries older than that look covered, and are loaded needlessly`,
      cure: 'Give the log a larger table (log options, `slots`), under a new name or after its keys were deleted; or invalidate fewer distinct keys and tags.',
    },
  ];
}

function breakerFinding({ name, state, since, lastFailure }: BreakerStatus): readonly Finding[] {
  if (state === 'closed') return [];
  return [
    {
      code: 'breaker',
      status: 'degraded',
      what: `The circuit breaker ${name} is ${state}`,
      evidence: `since ${since}${lastFailure === null ? '' : `, last failure ${lastFailure}`}`,
      cure: 'Look after what it protects: it closes by itself once a probe succeeds.',
    },
  ];
}
