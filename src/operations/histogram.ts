import * as hdr from 'hdr-histogram-js';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Latency, LatencyState } from './latency.ts';

/** Microseconds, so that a hit in memory can be told from another. */
const UNITS = 1_000;
/** An hour: what takes longer counts as that. */
const MOST = 3_600 * 1_000 * UNITS;
/** Of a count: what is counted for weeks goes beyond 32. */
const BITS = 64;

/** Counts of durations that grow by the logarithm of what was recorded: within 1 %, in 3 to 26 KiB once there is one. */
export class Histogram {
  #counts: hdr.Histogram | undefined;
  #sum = 0;

  /** @throws Error for a state that is damaged */
  static of({ counts, sum }: LatencyState): Histogram {
    const made = new Histogram();
    if (counts === '') return made;
    if (typeof sum !== 'number' || !(sum >= 0)) throw new Error('the sum is not a number');
    made.#counts = hdr.decodeFromCompressedBase64(counts, BITS);
    made.#sum = sum;
    return made;
  }

  get count(): number {
    return this.#counts?.totalCount ?? 0;
  }

  /** In ms. */
  get sum(): number {
    return this.#sum;
  }

  /** @param ms of what was measured; anything but a number from 0 on is left out */
  record(ms: number): void {
    if (!(ms >= 0)) return;
    this.#counts ??= empty();
    this.#counts.recordValue(Math.min(MOST, Math.round(ms * UNITS)));
    this.#sum += ms;
  }

  /** @param times how often each measurement of the other counts: where only a part of what happened was measured */
  add(other: Histogram, times = 1): void {
    const given = other.#counts;
    if (given === undefined || !(times > 0)) return;
    this.#counts ??= empty();
    if (times === 1) this.#counts.add(given);
    else
      for (const [value, count] of recorded(given)) this.#counts.recordValueWithCount(value, Math.round(count * times));
    this.#sum += other.#sum * times;
  }

  /**
   * Adds what was measured of a part only, each with the weight that makes it as many as there were. Where none of them was measured,
   * each counts as 0 ms: what is left unmeasured is what memory answers, in less than can be told here.
   *
   * @param of how many there were
   */
  addPart(measured: Histogram, of: number): void {
    if (measured.count > 0) return this.add(measured, Math.max(1, of / measured.count));
    if (!(of > 0)) return;
    this.#counts ??= empty();
    this.#counts.recordValueWithCount(0, of);
  }

  /** What came since a copy was made of this. */
  since(before: Histogram): Histogram {
    const later = this.copy();
    if (later.#counts !== undefined && before.#counts !== undefined) later.#counts.subtract(before.#counts);
    later.#sum = Math.max(0, later.#sum - before.#sum);
    return later;
  }

  copy(): Histogram {
    const made = new Histogram();
    made.add(this);
    return made;
  }

  get latency(): Latency {
    const counts = this.#counts;
    if (counts === undefined || counts.totalCount === 0)
      return { count: 0, p50: undefined, p95: undefined, p99: undefined, max: undefined, mean: undefined };
    const at = (percentile: number): number => counts.getValueAtPercentile(percentile) / UNITS;
    const count = counts.totalCount;
    return { count, p50: at(50), p95: at(95), p99: at(99), max: at(100), mean: this.#sum / count };
  }

  get state(): LatencyState {
    return { counts: this.#counts === undefined ? '' : hdr.encodeIntoCompressedBase64(this.#counts), sum: this.#sum };
  }

  /** How many took at most each of these. @param bounds in ms, ascending; each is met within 1 % */
  upTo(bounds: readonly number[]): number[] {
    const found = bounds.map(() => 0);
    for (const [value, count] of this.#counts === undefined ? [] : recorded(this.#counts))
      for (let i = bounds.length - 1; i >= 0 && value <= (bounds[i] as number) * UNITS; i--)
        found[i] = (found[i] as number) + count;
    return found;
  }
}

function empty(): hdr.Histogram {
  return hdr.build({
    numberOfSignificantValueDigits: 2,
    highestTrackableValue: 2 * UNITS,
    autoResize: true,
    bitBucketSize: BITS,
  });
}

/** The lowest value of each bucket that is not empty, and how many it holds. */
function* recorded(counts: hdr.Histogram): Generator<[value: number, count: number]> {
  if (!(counts instanceof hdr.JsHistogram)) return;
  const { recordedValuesIterator: iterator } = counts;
  iterator.reset();
  while (iterator.hasNext()) {
    const { valueIteratedTo, countAtValueIteratedTo } = iterator.next();
    yield [counts.lowestEquivalentValue(valueIteratedTo), countAtValueIteratedTo];
  }
}

/**
 * The latency of all that several nodes have measured. Percentiles are of all measurements: a mean of percentiles would be of none.
 *
 * @throws TidemarkError `INVALID_OPTION` for what is no such state
 */
export function mergeLatency(states: readonly LatencyState[]): Latency {
  const merged = new Histogram();
  for (const state of states) {
    try {
      merged.add(Histogram.of(state));
    } catch (cause) {
      throw new TidemarkError(
        'INVALID_OPTION',
        `mergeLatency: ${shorten(JSON.stringify(state))} is no latency of a node. Leave it out: it was written by another release, or is damaged.`,
        { cause },
      );
    }
  }
  return merged.latency;
}
