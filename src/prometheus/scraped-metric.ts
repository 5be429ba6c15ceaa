import type { Gauge, MetricValueWithName } from 'prom-client';
import { Histogram, type MetricDefinition } from '../operations/index.ts';

/** Bounds of histograms, in seconds. */
const BUCKETS: readonly number[] = [
  ...[0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

type Line = MetricValueWithName<string>;

/** What a registry makes lines of, or JSON, or adds up over the workers of a cluster. */
interface Told {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly Line[];
}

/** One metric as a registry asks for it: what it says is read when it is asked, and nothing is kept. */
export class ScrapedMetric<Source> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricDefinition<Source>['kind'];
  readonly aggregator: 'sum' | 'average';
  readonly #definition: MetricDefinition<Source>;
  readonly #sources: () => Promise<readonly Labelled<Source>[]>;

  constructor(name: string, definition: MetricDefinition<Source>, sources: () => Promise<readonly Labelled<Source>[]>) {
    this.name = name;
    this.help = definition.help;
    this.type = definition.kind;
    this.aggregator = definition.kind === 'gauge' ? 'average' : 'sum';
    this.#definition = definition;
    this.#sources = sources;
  }

  async get(): Promise<Told> {
    const { name, help, type, aggregator } = this;
    const values = (await this.#sources()).flatMap(({ labels, source }) =>
      this.#definition.read(source).flatMap((it) => linesOf(name, { ...labels, ...it.labels }, it.value)),
    );
    return { name, help, type, aggregator, values };
  }

  /** What a registry is asked for by `resetMetrics()`: the counts are not the registry's. */
  reset(): void {}

  /** A registry asks its metrics for no more than is here; its types ask for one of four classes. */
  get asMetric(): Gauge {
    return this as unknown as Gauge;
  }
}

/** What is told of one cache. */
export interface Labelled<Source> {
  readonly labels: Readonly<Record<string, string>>;
  readonly source: Source;
}

function linesOf(name: string, labels: Readonly<Record<string, string>>, value: number | Histogram): Line[] {
  if (!(value instanceof Histogram)) return [{ metricName: name, labels, value }];
  const counts = value.upTo(BUCKETS.map((seconds) => seconds * 1_000));
  return [
    ...BUCKETS.map((le, i) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: counts[i] ?? 0 })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: value.count },
    { metricName: `${name}_sum`, labels, value: value.sum / 1_000 },
    { metricName: `${name}_count`, labels, value: value.count },
  ];
}
