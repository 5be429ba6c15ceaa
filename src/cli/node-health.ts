import type { Health } from '../operations/index.ts';

/** The health of one node, by the names that the API gives it. */
export interface NodeHealth extends Pick<Health, 'status' | 'reasons' | 'recommendations'> {
  /** 0 to 1. */
  readonly hit_rate?: number | null;
  readonly latency_p95_ms?: number | null;
  readonly consistency_score?: number | null;
}
