import type { BreakerStatus } from './breaker-status.ts';
import type { HealthSettings } from './health-options.ts';
import type { Reason, ReasonCode } from './reason.ts';
import { falling, rising, type Threshold } from './thresholds.ts';
import type { Violation } from './violation.ts';

/** What health is judged by, of one node at one moment. Counts are of the window, times in ms. */
export interface Signs {
  readonly closed: boolean;
  readonly reads: number;
  readonly hitRate: number | undefined;
  readonly latencyP95: number | undefined;
  readonly consistencyScore: number | undefined;
  readonly standing: readonly Violation[];
  /** How long this node has been detached; `undefined` while it is not. */
  readonly detachedFor: number | undefined;
  readonly provenAge: number;
  readonly maxLag: number;
  readonly queued: number;
  readonly loads: number;
  readonly loadFailures: number;
  readonly storeFailures: number;
  readonly evicted: number;
  readonly entries: number;
  readonly tenants: Readonly<Record<string, number>>;
  readonly breakers: readonly BreakerStatus[];
  readonly lateBy: number;
  /** What the metrics advise, the most reads concerned first. */
  readonly advice: readonly string[];
}

type Judge = (signs: Signs, settings: HealthSettings) => readonly Reason[];

/** Fewer loads say nothing about how many fail. */
const ENOUGH_LOADS = 10;
/** Most tenants that are named. */
const MOST_TENANTS = 5;

/** Everything that is not as it should be. */
export function reasonsOf(signs: Signs, settings: HealthSettings): readonly Reason[] {
  return JUDGES.flatMap((judge) => judge(signs, settings));
}

const JUDGES: readonly Judge[] = [
  ({ closed }) =>
    closed ? [reason('closed', 'critical', 'The cache is closed.', 'Make a new cache, or end this process.')] : [],

  ({ detachedFor, maxLag }, { thresholds }) =>
    judged(detachedFor, rising, thresholds.detached, (status, value) =>
      reason(
        'detached',
        status,
        `This node has been detached from the log for ${seconds(value)}: reads go to their loaders, since it cannot prove that what it keeps is fresh (maxLag ${seconds(maxLag)}).`,
        "Look at the server of the log and the connection to it; the event 'detached' has the cause.",
      ),
    ),

  ({ provenAge, maxLag, detachedFor }, { thresholds }) =>
    judged(detachedFor === undefined ? provenAge / maxLag : undefined, rising, thresholds.lag, (status, value) =>
      reason(
        'lag',
        status,
        `The proof that this node is up to date is ${seconds(provenAge)} old, ${percent(value)} of maxLag; usual is a quarter.`,
        'Look for what slows down the answers of the log: its server, the network, or an event loop that is blocked. Raise maxLag, where such delays are usual.',
      ),
    ),

  ({ queued }, { thresholds }) =>
    judged(queued, rising, thresholds.queued, (status) =>
      reason(
        'queue',
        status,
        `${queued} invalidations wait to be sent: other nodes do not know of them yet.`,
        'Bring the server of the log back, and do not end this process before it has sent them; an outbox keeps them across its end.',
      ),
    ),

  ({ standing }) =>
    standing.slice(-1).map(({ message, recommendation }) => {
      const more = standing.length > 1 ? ` And ${standing.length - 1} more.` : '';
      return reason('violation', 'degraded', `${message}${more}`, recommendation);
    }),

  ({ consistencyScore }, { thresholds }) =>
    judged(consistencyScore, falling, thresholds.consistency, (status, value) =>
      reason(
        'consistency',
        status,
        `The consistency score is ${round(value)} of 100; healthy is above ${thresholds.consistency.degraded}.`,
        'Read the stories of `operations.sampler.report().violations`: each names the key, its labels and the records near it.',
      ),
    ),

  ({ hitRate, reads, advice }, { thresholds }) =>
    judged(hitRate, falling, thresholds.hitRate, (status, value) =>
      reason(
        'hit-rate',
        status,
        `${percent(value)} of ${reads} reads were hits; healthy is above ${percent(thresholds.hitRate.degraded)}.`,
        advice[0] ??
          'Look at `metrics().queries`: the queries with most `missed`, and why memory had nothing to serve.',
      ),
    ),

  ({ latencyP95 }, { thresholds }) =>
    judged(latencyP95, rising, thresholds.latencyP95, (status, value) =>
      reason(
        'latency',
        status,
        `The slowest 5 % of reads took ${round(value)} ms or more; healthy is below ${thresholds.latencyP95.degraded} ms.`,
        'Compare `latency.load` and `latency.store` in `metrics().queries`: make the slow loaders faster, let them be refreshed before they expire (`eagerRefresh`), or give `softTimeout` with `grace`.',
      ),
    ),

  ({ loads, loadFailures }, { thresholds }) => {
    const all = loads + loadFailures;
    return judged(
      all < ENOUGH_LOADS ? undefined : loadFailures / all,
      rising,
      thresholds.failedLoads,
      (status, value) =>
        reason(
          'loads',
          status,
          `${percent(value)} of ${all} loads have failed.`,
          "Look at the source; the event 'load-failed' has the errors. `grace` lets old values stand in, a breaker spares the source.",
        ),
    );
  },

  ({ storeFailures }, { thresholds }) =>
    judged(storeFailures, rising, thresholds.storeFailures, (status) =>
      reason(
        'store',
        status,
        `${storeFailures} requests to the store have failed: what they were for was loaded, or not kept.`,
        "Look at the store's server and its memory limit; the event 'store-failed' has the errors.",
      ),
    ),

  ({ breakers }) =>
    breakers
      .filter(({ state }) => state === 'open')
      .map(({ name, openedBy, lastFailure }) =>
        reason(
          'breaker',
          'degraded',
          `The breaker '${name}' is open${openedBy === null ? '' : `, opened by ${openedBy}`}${lastFailure === null ? '' : `: ${lastFailure}`}.`,
          `Look at what the breaker '${name}' protects; it closes by itself once a probe succeeds.`,
        ),
      ),

  ({ evicted, entries, hitRate }, { thresholds }) => {
    const suffers = hitRate !== undefined && falling(hitRate, thresholds.hitRate) !== undefined;
    const share = suffers && entries > 0 ? evicted / entries : undefined;
    return judged(share, rising, thresholds.evictions, (status) =>
      reason(
        'eviction',
        status,
        `Memory has evicted ${evicted} entries and has place for about ${entries}, while too few reads are hits.`,
        'Raise memory.maxEntries or memory.maxBytes.',
      ),
    );
  },

  ({ tenants }, { thresholds: { tenantRate } }) =>
    Object.entries(tenants)
      .filter(([, rate]) => rate > tenantRate.degraded)
      .slice(0, MOST_TENANTS)
      .map(([tenant, rate]) =>
        reason(
          'tenant-storm',
          rate > tenantRate.critical ? 'critical' : 'degraded',
          `Tenant '${tenant}' was invalidated ${rate} times in the last minute; ${tenantRate.degraded} are usual at most.`,
          `Find what changes tenant '${tenant}' so often (an import, a loop), and invalidate once for all of it: calls in one tick share one record, and one tag or prefix covers many keys.`,
        ),
      ),

  ({ lateBy }, { thresholds }) =>
    judged(lateBy, rising, thresholds.eventLoop, (status, value) =>
      reason(
        'event-loop',
        status,
        `The event loop was blocked for ${seconds(value)}.`,
        'Look for long synchronous work (large JSON, loops, synchronous files or compression), or for a container with too little CPU.',
      ),
    ),
];

function judged(
  value: number | undefined,
  compare: typeof rising,
  threshold: Threshold,
  tell: (status: 'degraded' | 'critical', value: number) => Reason,
): readonly Reason[] {
  const status = value === undefined ? undefined : compare(value, threshold);
  return status === undefined || value === undefined ? [] : [tell(status, value)];
}

function reason(code: ReasonCode, status: 'degraded' | 'critical', message: string, recommendation: string): Reason {
  return { code, status, message, recommendation };
}

function percent(share: number): string {
  return `${round(share * 100)} %`;
}

function seconds(ms: number): string {
  return `${round(ms / 1_000)} s`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
