import type { Registry } from 'prom-client';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import {
  fleetMetricList,
  FleetWatch,
  metricList,
  metricSource,
  Operations,
  serverMetricList,
  ServerWatch,
} from '../operations/index.ts';
import { ScrapedMetric } from './scraped-metric.ts';

export interface PrometheusOptions {
  /** A registry of prom-client, such as its `register`. */
  readonly register: Registry;
  /** What names begin with, default `'tidemark_'`. */
  readonly prefix?: string;
  /** Labels that every metric is given, besides `cache`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a scrape is answered with. */
export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

/** The metrics of caches in a registry. */
export interface Prometheus {
  /** All that the registry has, of others too. */
  readonly metrics: () => Promise<Scrape>;
  /** Takes the metrics of these caches out of the registry. A second call does nothing. */
  readonly close: () => void;
}

/** A server is asked at most so often, in ms. */
const EVERY = 5_000;
/** All reports of a fleet are read at most so often, in ms: each of its nodes does so. */
const FLEET_EVERY = 30_000;

const NAMES = ['register', 'prefix', 'labels'];

/**
 * Registers what is known of caches in a registry of prom-client. Nothing is counted twice: what a scrape is told is read then.
 *
 * @param operations of one cache, or of several that share the registry
 * @throws TidemarkError `INVALID_OPTION`, also for a name that is taken in the registry, before anything is registered
 * @example
 * const { metrics } = prometheus(operations, { register });
 * const { contentType, body } = await metrics();
 */
export function prometheus(operations: Operations | readonly Operations[], options: PrometheusOptions): Prometheus {
  const { register, prefix, labels } = checked(options);
  const caches = checkedOperations(operations).map((it) => ({
    operations: it,
    labels: { cache: it.cache.name, ...labels },
  }));
  const servers = caches
    .filter(({ operations: { cache } }) => cache.parts.diagnostics !== undefined)
    .map((it) => ({ labels: it.labels, watch: new ServerWatch(it.operations.cache, EVERY) }));
  const fleets = caches
    .map((it) => ({ labels: it.labels, watch: new FleetWatch(it.operations, FLEET_EVERY) }))
    .filter(({ watch }) => watch.isThere);
  const nodes = onceATurn(async () => caches.map((it) => ({ labels: it.labels, source: metricSource(it.operations) })));
  const reports = onceATurn(() =>
    Promise.all(servers.map(async (it) => ({ labels: it.labels, source: await it.watch.report() }))),
  );
  const whole = onceATurn(() =>
    Promise.all(fleets.map(async (it) => ({ labels: it.labels, source: await it.watch.fleet() }))),
  );
  const made = [
    ...metricList.map((it) => new ScrapedMetric(prefix + it.name, it, nodes)),
    ...(servers.length === 0 ? [] : serverMetricList).map((it) => new ScrapedMetric(prefix + it.name, it, reports)),
    ...(fleets.length === 0 ? [] : fleetMetricList).map((it) => new ScrapedMetric(prefix + it.name, it, whole)),
  ];
  // A name that is taken is refused before anything is registered.
  const names = made.map(({ name }) => name);
  refuseTaken(register, names);
  for (const metric of made) register.registerMetric(metric.asMetric);
  return {
    metrics: async () => ({ contentType: register.contentType, body: await register.metrics() }),
    close: () => {
      for (const [i, name] of names.entries())
        if (register.getSingleMetric(name) === made[i]?.asMetric) register.removeSingleMetric(name);
    },
  };
}

/** A registry asks all its metrics in one turn: what they are read of is made once for all of them, and belongs together. */
function onceATurn<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made === undefined) {
      made = make();
      queueMicrotask(() => {
        made = undefined;
      });
    }
    return made;
  };
}

function checkedOperations(given: Operations | readonly Operations[]): readonly Operations[] {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  const wrong = all.find((it) => !(it instanceof Operations));
  if (all.length > 0 && wrong === undefined) return all as readonly Operations[];
  throw invalid('operations', wrong, 'made by createOperations(cache)', 'Give that, or a list of them');
}

function checked(options: PrometheusOptions): Required<PrometheusOptions> {
  checkKnown(options, NAMES, 'prometheus()');
  const { register, prefix = 'tidemark_', labels = {} } = options;
  if (typeof register?.registerMetric !== 'function')
    throw invalid('register', register, 'a registry of prom-client', "Give { register } from 'prom-client'");
  if (typeof prefix !== 'string' || !/^([a-zA-Z_:][a-zA-Z0-9_:]*)?$/.test(prefix))
    throw invalid('prefix', prefix, 'a text of letters, digits and _ that begins with no digit', "Write 'shop_'");
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || TAKEN.has(name))
      throw invalid('labels', name, 'a name of a label that is free', 'Write letters, digits and _');
    if (typeof value !== 'string') throw invalid(`labels.${name}`, value, 'a text', 'Convert it: String(value)');
  }
  return { register, prefix, labels };
}

/** Labels that metrics have themselves. */
const TAKEN = new Set([
  'cache',
  'le',
  ...[...metricList, ...serverMetricList, ...fleetMetricList].flatMap(({ labels }) => labels),
]);

function refuseTaken(register: Registry, names: readonly string[]): void {
  const taken = names.find((name) => register.getSingleMetric(name) !== undefined);
  if (taken !== undefined)
    throw invalid(
      'register',
      taken,
      'a name that is free in this registry',
      'Give all caches in one call, prometheus([...], options), or another prefix',
    );
}

function invalid(option: string, value: unknown, wanted: string, cure: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not ${wanted}. ${cure}.`);
}
