/** How a node or a fleet is. */
export type HealthStatus = 'healthy' | 'degraded' | 'critical';

/**
 * What a reason is about: `relay`, `server` and `silent` are of fleets.
 *
 * `loads`: loaders fail. `lag`: the proof of freshness comes late. `queue`: invalidations wait to be sent.
 */
export type ReasonCode =
  | 'closed'
  | 'hit-rate'
  | 'latency'
  | 'consistency'
  | 'violation'
  | 'detached'
  | 'lag'
  | 'queue'
  | 'loads'
  | 'store'
  | 'breaker'
  | 'eviction'
  | 'tenant-storm'
  | 'event-loop'
  | 'relay'
  | 'server'
  | 'silent';

/** Why something is not healthy, and what to do. */
export interface Reason {
  readonly code: ReasonCode;
  readonly status: 'degraded' | 'critical';
  /** With the numbers. */
  readonly message: string;
  /** Names the action. */
  readonly recommendation: string;
}

/** That of the worst of its reasons. */
export function statusOf(reasons: readonly Pick<Reason, 'status'>[]): HealthStatus {
  if (reasons.some(({ status }) => status === 'critical')) return 'critical';
  return reasons.length > 0 ? 'degraded' : 'healthy';
}

/** What to do, the worst first, each once. */
export function recommendationsOf(reasons: readonly Reason[]): readonly string[] {
  const sorted = [
    ...reasons.filter(({ status }) => status === 'critical'),
    ...reasons.filter(({ status }) => status === 'degraded'),
  ];
  return [...new Set(sorted.map(({ recommendation }) => recommendation))];
}
