import { wholeNumber } from '../cache/log-access.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { type ThresholdOptions, type Thresholds, thresholdsOf } from './thresholds.ts';

/** What counts as healthy, and as ready. */
export interface HealthOptions {
  readonly thresholds?: ThresholdOptions;
  /** The time that rates and latencies are about, default `'1m'`. */
  readonly window?: Duration;
  /** Fewer reads in the window say nothing about hit rate and latency; default 100. */
  readonly leastReads?: number;
  /** Fewer samples that were judged say nothing about consistency; default 20. */
  readonly leastSamples?: number;
  /** How long after its start a node that is not attached yet is not ready, default `'10s'`; 0 for not at all. */
  readonly attachWithin?: Duration;
  /** Whether a node that is detached is not ready; default false, since it answers by loading. */
  readonly readyWhenAttached?: boolean;
}

export interface HealthSettings {
  readonly thresholds: Thresholds;
  readonly window: number;
  readonly leastReads: number;
  readonly leastSamples: number;
  readonly attachWithin: number;
  readonly readyWhenAttached: boolean;
}

const NAMES = ['thresholds', 'window', 'leastReads', 'leastSamples', 'attachWithin', 'readyWhenAttached'];

/** @throws TidemarkError `INVALID_OPTION` */
export function healthSettings(options: HealthOptions): HealthSettings {
  checkKnown(options, NAMES, 'health');
  const { thresholds = {}, leastReads = 100, leastSamples = 20, readyWhenAttached = false } = options;
  const window = milliseconds(options.window ?? '1m', 'health.window');
  if (!(window >= 1_000)) throw invalid('window', options.window, "is too short. Give at least '1s'");
  if (typeof readyWhenAttached !== 'boolean')
    throw invalid('readyWhenAttached', readyWhenAttached, 'is neither true nor false');
  return {
    ...{ thresholds: thresholdsOf(thresholds), window, readyWhenAttached },
    leastReads: wholeNumber(leastReads, 'health.leastReads'),
    leastSamples: wholeNumber(leastSamples, 'health.leastSamples'),
    attachWithin: milliseconds(options.attachWithin ?? '10s', 'health.attachWithin'),
  };
}

function invalid(option: string, value: unknown, problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `health.${option}: ${shorten(value)} ${problem}.`);
}
