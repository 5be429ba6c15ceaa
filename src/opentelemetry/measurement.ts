import type { CacheEvent } from '../index.ts';

/** A duration that an event tells of, for the histogram of this name in the list of metrics. */
export interface Measurement {
  readonly metric: string;
  readonly ms: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** The histograms that events are told to. */
export const MEASURED = [
  'read_duration_seconds',
  'load_duration_seconds',
  'store_write_duration_seconds',
  'invalidation_duration_seconds',
  'publish_duration_seconds',
  'receive_delay_seconds',
] as const;

export interface MeasurementOptions {
  /** The origin of this node's records. */
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** What a query is called in labels. */
  readonly nameOf: (query: string | undefined) => string;
}

/** What an event measures; `undefined` for those that measure nothing. */
export function measurementOf(event: CacheEvent, { node, wall, nameOf }: MeasurementOptions): Measurement | undefined {
  const of = (metric: (typeof MEASURED)[number], ms: number, labels: Measurement['labels'] = {}): Measurement => ({
    ...{ metric, ms: Math.max(0, ms), labels },
  });
  switch (event.type) {
    case 'read':
      return of('read_duration_seconds', event.ms, { query: nameOf(event.query), from: event.from });
    case 'loaded':
    case 'load-failed':
      return of('load_duration_seconds', event.ms, { query: nameOf(event.query) });
    case 'stored':
      return of('store_write_duration_seconds', event.ms);
    case 'invalidated':
      return of('invalidation_duration_seconds', event.ms);
    case 'sent':
      return of('publish_duration_seconds', wall - event.draft.time);
    case 'applied':
      // By the clocks of two machines.
      return event.record.origin === node ? undefined : of('receive_delay_seconds', wall - event.record.time);
    default:
      return undefined;
  }
}
