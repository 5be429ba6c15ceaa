import { z } from 'zod';
import type { Health, HealthStatus, Reason } from '../operations/index.ts';

/** Health by the names that dashboards and alerts ask for. */
export interface HealthView extends Pick<Health, 'status' | 'reasons' | 'recommendations'> {
  readonly hit_rate?: number | undefined;
  readonly latency_p95_ms?: number | undefined;
  readonly consistency_score?: number | undefined;
}

export const statusAnswer: z.ZodType<HealthStatus, HealthStatus> = z.enum(['healthy', 'degraded', 'critical']);

export const reasonAnswer: z.ZodType<Reason, Reason> = z.object({
  code: z.custom<Reason['code']>((it) => typeof it === 'string').meta({ type: 'string' }),
  status: z.enum(['degraded', 'critical']),
  message: z.string(),
  recommendation: z.string(),
});

export const healthAnswer: z.ZodType<HealthView, HealthView> = z.object({
  status: statusAnswer,
  hit_rate: z.number().optional().describe('0 to 1, of the last minute; absent without enough reads'),
  latency_p95_ms: z.number().optional().describe('of all reads'),
  consistency_score: z.number().optional().describe('0 to 100: of samples of what was served'),
  recommendations: z.array(z.string()).readonly(),
  reasons: z.array(reasonAnswer).readonly(),
});

export function healthView(health: Health): HealthView {
  const { status, hitRate, latencyP95, consistencyScore, recommendations, reasons } = health;
  return {
    ...{ status, hit_rate: hitRate, latency_p95_ms: latencyP95, consistency_score: consistencyScore },
    ...{ recommendations, reasons },
  };
}
