import { reasonsOf, type Signs } from './signs.ts';
import { type HealthStatus, type Reason, recommendationsOf, statusOf } from './reason.ts';
import type { HealthSettings } from './health-options.ts';

/** How this node is, why, and what to do. */
export interface Health {
  readonly status: HealthStatus;
  /** 0 to 1, over the window; `undefined` with fewer reads than `leastReads`. */
  readonly hitRate: number | undefined;
  /** Of all reads in the window, in ms; `undefined` as that. */
  readonly latencyP95: number | undefined;
  /** 0 to 100, see `SamplerReport`; `undefined` with fewer samples than `leastSamples`. */
  readonly consistencyScore: number | undefined;
  /** The worst first. */
  readonly reasons: readonly Reason[];
  readonly recommendations: readonly string[];
}

/** Whether a probe passes, and why not. */
export interface Verdict {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

export function healthOf(signs: Signs, settings: HealthSettings): Health {
  const all = reasonsOf(signs, settings);
  const reasons = [...all.filter(isCritical), ...all.filter((it) => !isCritical(it))];
  const { hitRate, latencyP95, consistencyScore } = signs;
  return {
    ...{ status: statusOf(reasons), hitRate, latencyP95, consistencyScore, reasons },
    recommendations: recommendationsOf(reasons),
  };
}

function isCritical({ status }: Reason): boolean {
  return status === 'critical';
}

export function verdict(reasons: readonly string[]): Verdict {
  return { ok: reasons.length === 0, reasons };
}
