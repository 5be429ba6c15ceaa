import {
  type BatchObservableResult,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics as registered,
  type Observable,
} from '@opentelemetry/api';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import {
  fleetMetricList,
  FleetWatch,
  type MetricDefinition,
  metricList,
  metricSource,
  Operations,
  serverMetricList,
  ServerWatch,
} from '../operations/index.ts';
import { instrumentOf } from './instrument.ts';
import { measurementOf } from './measurement.ts';

export interface OpenTelemetryMetricsOptions {
  /** Default: the one that is registered globally when this is called. */
  readonly meterProvider?: MeterProvider;
}

/** The metrics of a cache at a provider. */
export interface OpenTelemetryMetrics {
  /** Tells nothing any more. A second call does nothing. */
  readonly close: () => void;
}

/** In seconds: from what memory answers to what somebody gives up on. */
const BOUNDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A server is asked at most so often, in ms. */
const EVERY = 5_000;
/** All reports of a fleet are read at most so often, in ms: each of its nodes does so. */
const FLEET_EVERY = 30_000;

/** Most queries that a histogram tells apart, as operations do by default. */
const MOST_QUERIES = 100;

/**
 * Tells a meter of OpenTelemetry what is known of a cache: counters and gauges are read when they are collected, durations are recorded
 * as they happen. Names and labels are those of Prometheus, as OpenTelemetry writes them: `tidemark.hits`, `tidemark.read_duration`.
 *
 * @param operations of one cache; several are told by a call each
 * @throws TidemarkError `INVALID_OPTION`, before anything was started
 * @example openTelemetryMetrics(createOperations(cache));
 */
export function openTelemetryMetrics(
  operations: Operations,
  options: OpenTelemetryMetricsOptions = {},
): OpenTelemetryMetrics {
  checkKnown(options, ['meterProvider'], 'openTelemetryMetrics()');
  const { meterProvider = registered.getMeterProvider() } = options;
  if (!(operations instanceof Operations))
    throw new TidemarkError(
      'INVALID_OPTION',
      `operations: ${shorten(operations)} is not made by createOperations(cache). Give that.`,
    );
  if (typeof meterProvider?.getMeter !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `meterProvider: ${shorten(meterProvider)} is none. Give a provider of OpenTelemetry's SDK, or leave it out.`,
    );
  const meter = meterProvider.getMeter('tidemark');
  const { cache } = operations;
  const ends = [
    observe(meter, metricList, cache.name, async () => metricSource(operations)),
    record(meter, operations),
  ];
  if (cache.parts.diagnostics !== undefined) {
    const watch = new ServerWatch(cache, EVERY);
    ends.push(observe(meter, serverMetricList, cache.name, () => watch.report()));
  }
  const fleet = new FleetWatch(operations, FLEET_EVERY);
  if (fleet.isThere) ends.push(observe(meter, fleetMetricList, cache.name, () => fleet.fleet()));
  return { close: () => ends.splice(0).forEach((end) => end()) };
}

/** Counters and gauges: all are read of one source, so that they belong together. */
function observe<S>(
  meter: Meter,
  list: readonly MetricDefinition<S>[],
  cache: string,
  source: () => Promise<S>,
): () => void {
  const observed = list
    .filter(({ kind }) => kind !== 'histogram')
    .map((definition) => ({ definition, instrument: made(meter, definition) }));
  const instruments = observed.map(({ instrument }) => instrument);
  const tell = async (result: BatchObservableResult): Promise<void> => {
    const known = await source();
    for (const { definition, instrument } of observed)
      for (const { labels, value } of definition.read(known))
        if (typeof value === 'number') result.observe(instrument, value, { cache, ...labels });
  };
  meter.addBatchObservableCallback(tell, instruments);
  return () => meter.removeBatchObservableCallback(tell, instruments);
}

function made<S>(meter: Meter, definition: MetricDefinition<S>): Observable {
  const { name, unit } = instrumentOf(definition);
  const options = { description: definition.help, unit };
  return definition.kind === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}

/** Histograms: OpenTelemetry has no way to read them of something that counts already. */
function record(meter: Meter, { cache }: Operations): () => void {
  const histograms = new Map<string, Histogram>();
  for (const definition of metricList.filter(({ kind }) => kind === 'histogram')) {
    const { name, unit } = instrumentOf(definition);
    const options = { description: definition.help, unit, advice: { explicitBucketBoundaries: BOUNDS } };
    histograms.set(definition.name, meter.createHistogram(name, options));
  }
  const { node, context } = cache.parts;
  const queries = new Set<string>();
  const nameOf = (query = '(keys)'): string => {
    if (queries.has(query)) return query;
    if (queries.size > MOST_QUERIES) return '(other)';
    queries.add(query);
    return query;
  };
  return cache.on(
    (event) => {
      const measured = measurementOf(event, { node, wall: context.clock.wall(), nameOf });
      if (measured !== undefined)
        histograms.get(measured.metric)?.record(measured.ms / 1_000, { cache: cache.name, ...measured.labels });
    },
    { except: ['hit'] },
  );
}
