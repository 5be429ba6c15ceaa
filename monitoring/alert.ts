import type { Threshold } from '../src/operations/index.ts';
import { promql } from './metric.ts';

/** What Prometheus watches for. */
export interface Alert {
  /** Two of one name have two severities. */
  readonly name: string;
  readonly severity: 'warning' | 'critical';
  readonly expr: string;
  /** How long that has to be so, such as `5m`; `undefined` for not at all. */
  readonly for?: string | undefined;
  /** A few words. A template of Prometheus. */
  readonly summary: string;
  /** What is so, with its value. A template, too. */
  readonly says: string;
  /** What to do. */
  readonly action: string;
}

export interface AlertGroup {
  readonly name: string;
  readonly alerts: readonly Alert[];
}

/** Both severities of what health calls degraded and critical. */
export interface Levels extends Omit<Alert, 'severity' | 'expr' | 'for'> {
  readonly threshold: Threshold;
  /** Whether what is small is well, or what is great. */
  readonly better: 'less' | 'more';
  /** What a value in the threshold's unit is divided by; default 1. */
  readonly unit?: number;
  /** The value, in PromQL. */
  readonly value: string;
  /** Further conditions, beginning with `and` or `unless`. */
  readonly where?: string;
  readonly for: string;
  /** For the critical one; default the same. */
  readonly criticalFor?: string;
}

export function alert(given: Alert): Alert {
  return { ...given, expr: promql(given.expr) };
}

/** Compares as health does; where a threshold has no critical end, there is no such alert. */
export function levels(given: Levels): readonly Alert[] {
  const { threshold, better, unit = 1, value, where = '', for: hold, criticalFor = hold, ...rest } = given;
  const { degraded, critical } = threshold;
  const [reaches, passes] = better === 'less' ? (['>=', '>'] as const) : (['<=', '<'] as const);
  const made = (severity: Alert['severity'], compare: string, bound: number, time: string): Alert =>
    alert({ ...rest, severity, expr: `${value} ${compare} ${bound / unit} ${where}`, for: time });
  const warning = made('warning', reaches, degraded, hold);
  return Number.isFinite(critical) ? [warning, made('critical', passes, critical, criticalFor)] : [warning];
}
