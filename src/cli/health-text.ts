import type { NodeView, Reason } from '../operations/index.ts';
import { statusColour } from './health-status.ts';
import { paint } from './paint.ts';
import { plain } from './plain.ts';
import { count, percent, rate, time, UNKNOWN } from './quantity.ts';

/** What is told of a node or a fleet. */
export interface Vitals {
  readonly what: string;
  readonly status: string;
  readonly hitRate?: number | null | undefined;
  readonly latencyP95?: number | null | undefined;
  readonly consistencyScore?: number | null | undefined;
  readonly invalidationsPerMinute?: number | null | undefined;
  readonly nodes?: readonly NodeView[];
  readonly reasons: readonly Reason[];
}

/** Health in words: the status, its numbers, and each reason with what to do. */
export function healthText(vitals: Vitals): string {
  const { what, status, reasons } = vitals;
  const head = `${paint(statusColour(status), status)}  ${what}`;
  return [head, numbers(vitals), ...reasons.map(reasonText)].join('\n');
}

function numbers(vitals: Vitals): string {
  const { hitRate, latencyP95, consistencyScore, invalidationsPerMinute, nodes } = vitals;
  const detached = nodes?.filter((it) => it.status !== 'silent' && !it.attached).length ?? 0;
  const silent = nodes?.filter((it) => it.status === 'silent').length ?? 0;
  const said = [
    `hit rate ${percent(hitRate)}`,
    `p95 ${time(latencyP95)}`,
    `consistency ${typeof consistencyScore === 'number' ? Math.floor(consistencyScore * 10) / 10 : UNKNOWN}`,
    ...(invalidationsPerMinute === undefined ? [] : [`${rate(invalidationsPerMinute)} invalidations a minute`]),
    ...(detached > 0 ? [`${count(detached)} detached`] : []),
    ...(silent > 0 ? [`${count(silent)} silent`] : []),
  ];
  return said.join(', ');
}

function reasonText({ status, code, message, recommendation }: Reason): string {
  return `\n${paint(statusColour(status), status)}  ${plain(code)}: ${plain(message)}\n  cure: ${plain(recommendation)}`;
}
