import type { MetricDefinition } from '../operations/index.ts';

/** A metric as OpenTelemetry names it. */
export interface Instrument {
  readonly name: string;
  readonly unit: string;
}

/** The ends of names that Prometheus makes of units, and its exporter puts there. */
const UNITS: Readonly<Record<string, string>> = { _seconds: 's', _bytes: 'By', _ratio: '1' };

/** `read_duration_seconds` is `tidemark.read_duration` in `s`: an exporter for Prometheus makes the same name of it again. */
export function instrumentOf({ name }: Pick<MetricDefinition<never>, 'name'>): Instrument {
  const base = name.replace(/_total$/, '');
  const end = Object.keys(UNITS).find((it) => base.endsWith(it));
  if (end === undefined) return { name: `tidemark.${base}`, unit: '' };
  return { name: `tidemark.${base.slice(0, -end.length)}`, unit: UNITS[end] as string };
}
