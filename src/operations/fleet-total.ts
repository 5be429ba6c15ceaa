import { Histogram } from './histogram.ts';
import type { Latency } from './latency.ts';
import type { NodeReportContent } from './node-report.ts';
import { hitRate } from './query-metrics.ts';

/** The nodes of a fleet that report, together, over the window of each. */
export interface FleetTotal {
  readonly nodes: number;
  readonly ready: number;
  readonly reads: number;
  /** 0 to 1, of all reads; `undefined` without any. */
  readonly hitRate: number | undefined;
  /** Of all reads of all nodes: their histograms are merged, since a mean of percentiles would be of nothing. */
  readonly latency: Latency;
  readonly latencyP95: number | undefined;
  /** The lowest of any node: a fleet is as consistent as what its unluckiest readers see. */
  readonly consistencyScore: number | undefined;
  readonly invalidationsPerMinute: number;
  readonly queued: number;
  readonly entries: number;
  readonly bytes: number;
  readonly evicted: number;
}

const MINUTE = 60_000;

export function fleetTotal(reports: readonly NodeReportContent[]): FleetTotal {
  const sum = (count: (report: NodeReportContent) => number): number => reports.reduce((all, it) => all + count(it), 0);
  const hits = sum(({ window }) => window.hits);
  const missed = sum(({ window }) => window.missed);
  const scores = reports.flatMap(({ consistencyScore }) => (consistencyScore === null ? [] : [consistencyScore]));
  const latency = merged(reports).latency;
  return {
    nodes: reports.length,
    ready: reports.filter(({ ready }) => ready).length,
    reads: hits + missed,
    hitRate: hitRate({ memory: hits, store: 0 }, missed),
    ...{ latency, latencyP95: latency.p95 },
    consistencyScore: scores.length === 0 ? undefined : Math.min(...scores),
    invalidationsPerMinute: sum(({ window }) => (window.ms > 0 ? (window.invalidations / window.ms) * MINUTE : 0)),
    ...{ queued: sum(({ queued }) => queued), entries: sum(({ entries }) => entries) },
    ...{ bytes: sum(({ bytes }) => bytes), evicted: sum(({ window }) => window.evicted) },
  };
}

/** What another release has written in a way that cannot be read is left out. */
function merged(reports: readonly NodeReportContent[]): Histogram {
  const all = new Histogram();
  for (const { reads } of reports) {
    try {
      all.add(Histogram.of(reads));
    } catch {
      // Its other figures count all the same.
    }
  }
  return all;
}
