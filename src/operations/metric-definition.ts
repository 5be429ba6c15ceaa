import type { Histogram } from './histogram.ts';

/** A figure, or many by a label: told as Prometheus and OpenTelemetry tell them, in seconds, bytes and ratios from 0 to 1. */
export interface MetricDefinition<Source> {
  /** Without a prefix: `hits_total`. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Besides `cache`, the name of the cache, which all have. */
  readonly labels: readonly string[];
  /** What there is to tell of a node now. */
  readonly read: (source: Source) => readonly MetricValue[];
}

export interface MetricValue {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram: what was measured, in ms. */
  readonly value: number | Histogram;
}

/** By the value of a label. */
type By<Value> = Readonly<Record<string, Value | undefined>>;

/** Reads one figure, which may not be known. */
export function one<S>(read: (source: S) => number | Histogram | undefined): (source: S) => readonly MetricValue[] {
  return (source) => valuesOf({ '': read(source) }, '', {});
}

/** Reads a figure for each value of a label. */
export function by<S>(
  label: string,
  read: (source: S) => By<number | Histogram>,
): (source: S) => readonly MetricValue[] {
  return (source) => valuesOf(read(source), label, {});
}

/** Reads a figure of each query, or one for each value of a further label. */
export function each<S, Q extends { readonly query: string }>(
  queries: (source: S) => readonly Q[],
  read: (query: Q) => number | Histogram | By<number | Histogram>,
  label = '',
): (source: S) => readonly MetricValue[] {
  return (source) =>
    queries(source).flatMap((it) => {
      const found = read(it);
      return valuesOf(label === '' ? { '': found as number | Histogram } : (found as By<number | Histogram>), label, {
        query: it.query,
      });
    });
}

function valuesOf(
  values: By<number | Histogram>,
  label: string,
  labels: Readonly<Record<string, string>>,
): readonly MetricValue[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ labels: label === '' ? labels : { ...labels, [label]: name }, value }],
  );
}
