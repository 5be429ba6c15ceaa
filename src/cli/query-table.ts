import type { QueryMetrics } from '../operations/index.ts';
import { count, percent, time } from './quantity.ts';
import type { Column } from './table.ts';

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** A query a line: where its reads were answered, and how long they took. */
export const queryColumns: readonly Column<QueryMetrics>[] = [
  { head: 'QUERY', cell: ({ query }) => query },
  { head: 'HITS', cell: ({ hitRate }) => percent(hitRate), right: true },
  { head: 'MEMORY', cell: ({ hits }) => count(hits.memory), right: true },
  { head: 'STORE', cell: ({ hits }) => count(hits.store), right: true },
  { head: 'MISSED', cell: ({ missed }) => count(missed), right: true },
  { head: 'LOADS', cell: ({ loads }) => count(loads), right: true },
  {
    head: 'FAILED',
    cell: ({ loadFailures }) => count(loadFailures),
    right: true,
    paint: ({ loadFailures }) => (loadFailures > 0 ? 'red' : undefined),
  },
  { head: 'JOINED', cell: ({ joined }) => count(joined), right: true },
  { head: 'STALE', cell: ({ stale }) => count(sum(stale)), right: true },
  { head: 'EVICTED', cell: ({ evicted }) => count(evicted), right: true },
  { head: 'P50', cell: ({ latency }) => time(latency.read.p50), right: true },
  { head: 'P95', cell: ({ latency }) => time(latency.read.p95), right: true },
  { head: 'P99', cell: ({ latency }) => time(latency.read.p99), right: true },
  { head: 'LOAD-P95', cell: ({ latency }) => time(latency.load.p95), right: true },
];

/** Why reads of a query were not answered from memory, most frequent first. */
export function missReasons({ misses }: QueryMetrics): string {
  const known = Object.entries(misses).filter(([, number]) => number > 0);
  return known
    .sort(([, a], [, b]) => b - a)
    .map(([reason, number]) => `${reason} ${number}`)
    .join(', ');
}
