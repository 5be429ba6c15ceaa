import { fleetMetricList, metricList, serverMetricList } from '../src/operations/index.ts';

/** What is known of a metric besides how it is read. */
export interface KnownMetric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

/** What all names begin with, as `prometheus()` does by default. */
export const PREFIX = 'tidemark_';

/** All metrics, by their full name. */
export const metrics: ReadonlyMap<string, KnownMetric> = new Map(
  [...metricList, ...serverMetricList, ...fleetMetricList].map(({ name, kind, labels }) => [
    PREFIX + name,
    { kind, labels },
  ]),
);

/**
 * The full name of a metric.
 *
 * @param name as in the list of metrics; of a histogram `read_duration_seconds_bucket` and the like, too
 * @throws Error for one that is not in the list
 */
export function metric(name: string): string {
  const full = PREFIX + name;
  const histogram = metrics.get(full.replace(/_(bucket|sum|count)$/, ''));
  if (!metrics.has(full) && histogram?.kind !== 'histogram')
    throw new Error(`There is no metric "${name}". Look at src/operations/metric-list.ts.`);
  return full;
}

/**
 * A query with the full names of its metrics: `@attached == 0` is `tidemark_attached == 0`.
 *
 * @throws Error for a name that is not in the list
 */
export function promql(query: string): string {
  return query
    .replace(/@([a-z_]+)/g, (_, name: string) => metric(name))
    .replace(/\s+/g, ' ')
    .trim();
}
