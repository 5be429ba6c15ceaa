import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';

/** Where healthy ends, and where degraded does. */
export interface Threshold {
  readonly degraded: number;
  readonly critical: number;
}

/** What counts as healthy. Where more is better, a value at `degraded` is degraded and one below `critical` critical. */
export interface Thresholds {
  /** 0 to 1, over the window: 0.9 and 0.75. More is better. */
  readonly hitRate: Threshold;
  /** Of all reads in the window, in ms: 50 and 100. */
  readonly latencyP95: Threshold;
  /** 0 to 100: 95 and 90. More is better. */
  readonly consistency: Threshold;
  /** Milliseconds since this node is detached: 0 and 30,000. */
  readonly detached: Threshold;
  /** The age of the proof of freshness, as a share of `maxLag`: 0.75; at 1 the node detaches. */
  readonly lag: Threshold;
  /** Invalidations that wait to be sent: 1 and 1,000. */
  readonly queued: Threshold;
  /** 0 to 1, loads of the window that have failed, of ten at least: 0.1 and 0.5. */
  readonly failedLoads: Threshold;
  /** Requests to the store in the window that have failed: 5 and 100. */
  readonly storeFailures: Threshold;
  /** Evicted in the window, as a share of the entries in memory, while the hit rate is not healthy: 0.2. */
  readonly evictions: Threshold;
  /** Invalidations of one tenant in a minute, in the whole fleet: more than 100. */
  readonly tenantRate: Threshold;
  /** Milliseconds by which the event loop was late in the window: 500 and 5,000. */
  readonly eventLoop: Threshold;
  /** Of a fleet: milliseconds by which a relay is behind: 5,000 and 60,000. */
  readonly relayLag: Threshold;
}

/** The defaults; hit rate, latency, consistency and tenants as they are usual for services. */
export const THRESHOLDS: Thresholds = {
  hitRate: { degraded: 0.9, critical: 0.75 },
  latencyP95: { degraded: 50, critical: 100 },
  consistency: { degraded: 95, critical: 90 },
  detached: { degraded: 0, critical: 30_000 },
  lag: { degraded: 0.75, critical: Number.POSITIVE_INFINITY },
  queued: { degraded: 1, critical: 1_000 },
  failedLoads: { degraded: 0.1, critical: 0.5 },
  storeFailures: { degraded: 5, critical: 100 },
  evictions: { degraded: 0.2, critical: Number.POSITIVE_INFINITY },
  tenantRate: { degraded: 100, critical: Number.POSITIVE_INFINITY },
  eventLoop: { degraded: 500, critical: 5_000 },
  relayLag: { degraded: 5_000, critical: 60_000 },
};

export type ThresholdOptions = { readonly [K in keyof Thresholds]?: Partial<Threshold> };

const MORE_IS_BETTER: readonly string[] = ['hitRate', 'consistency'];

/** @throws TidemarkError `INVALID_OPTION` */
export function thresholdsOf(options: ThresholdOptions): Thresholds {
  checkKnown(options, Object.keys(THRESHOLDS), 'health.thresholds');
  const named = Object.entries(THRESHOLDS).map(([name, usual]: [string, Threshold]): [string, Threshold] => {
    const given = options[name as keyof Thresholds] ?? {};
    checkKnown(given, ['degraded', 'critical'], `health.thresholds.${name}`);
    return [name, checked({ ...usual, ...given }, name)];
  });
  return { ...THRESHOLDS, ...Object.fromEntries(named) };
}

function checked(threshold: Threshold, name: string): Threshold {
  const { degraded, critical } = threshold;
  const better = MORE_IS_BETTER.includes(name);
  if (better ? degraded >= critical && critical >= 0 : critical >= degraded && degraded >= 0) return threshold;
  throw new TidemarkError(
    'INVALID_OPTION',
    `health.thresholds.${name}: ${shorten(JSON.stringify(threshold))} has critical before degraded, or what is no number. Give ${better ? 'degraded: 0.9, critical: 0.75, the better first' : 'degraded: 50, critical: 100, the smaller first'}, in the unit of this threshold.`,
  );
}

/** What a value comes to where less is better; `undefined` for healthy. */
export function rising(value: number, { degraded, critical }: Threshold): 'degraded' | 'critical' | undefined {
  if (value > critical) return 'critical';
  return value >= degraded ? 'degraded' : undefined;
}

/** What a value comes to where more is better. */
export function falling(value: number, { degraded, critical }: Threshold): 'degraded' | 'critical' | undefined {
  if (value < critical) return 'critical';
  return value <= degraded ? 'degraded' : undefined;
}
