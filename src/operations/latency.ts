/** How long something took, in ms. Percentiles are at most 1 % above what was measured; without a measurement they are `undefined`. */
export interface Latency {
  readonly count: number;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  readonly mean: number | undefined;
}

/** What was measured, to be sent to where it is merged with that of others. */
export interface LatencyState {
  /** Microseconds, as HdrHistogram writes them (V2, compressed, in base 64); `''` for none. */
  readonly counts: string;
  /** Of all, in ms. */
  readonly sum: number;
}
