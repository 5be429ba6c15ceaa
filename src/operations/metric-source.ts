import type { Health } from './health.ts';
import type { Histograms } from './meter.ts';
import type { MetricDefinition, MetricValue } from './metric-definition.ts';
import type { Metrics } from './metrics.ts';
import type { Operations } from './operations.ts';
import type { SamplerReport } from './sampler.ts';

/** What metrics are read of: taken once, so that they belong together. */
export interface MetricSource {
  readonly operations: Operations;
  readonly metrics: Metrics;
  readonly histograms: Histograms;
  readonly health: Health;
  /** `undefined` where nothing is sampled. */
  readonly sampled: SamplerReport | undefined;
}

/** What there is to tell of a node now. It takes a few milliseconds. */
export function metricSource(operations: Operations): MetricSource {
  return {
    operations,
    metrics: operations.metrics(),
    histograms: operations.meter.histograms(),
    health: operations.health(),
    sampled: operations.sampler?.report(),
  };
}

type Read = (source: MetricSource) => readonly MetricValue[];

export function counter(
  name: string,
  labels: readonly string[],
  help: string,
  read: Read,
): MetricDefinition<MetricSource> {
  return { name, kind: 'counter', labels, help, read };
}

export function gauge(
  name: string,
  labels: readonly string[],
  help: string,
  read: Read,
): MetricDefinition<MetricSource> {
  return { name, kind: 'gauge', labels, help, read };
}

export function histogram(
  name: string,
  labels: readonly string[],
  help: string,
  read: Read,
): MetricDefinition<MetricSource> {
  return { name, kind: 'histogram', labels, help, read };
}
