import { judged, type SampleCounts } from './sample-counts.ts';

/** What the samples say about how often something older than a certain time was served. */
export interface Nines {
  /** In ms. */
  readonly within: number;
  /** Samples that were judged, and those of them that were older than that. */
  readonly samples: number;
  readonly older: number;
  /** 0 to 1: samples that were not. `undefined` without a sample. */
  readonly share: number | undefined;
  /**
   * How many nines that shows: 3 is 99.9 %. Of the share that is certain to 95 %, so never more than so many samples can show.
   */
  readonly nines: number;
  /** How many nines so many samples could show at all, had none been older: by the rule of three. */
  readonly most: number;
}

/** The times, in ms, that are asked about. */
export const LEVELS = [100, 1_000, 10_000] as const;

/** At 100 ms, 1 s and 10 s. */
export function ninesOf(counts: SampleCounts): readonly Nines[] {
  const samples = judged(counts);
  const beyond10s = counts.later + counts.violations;
  const beyond1s = beyond10s + counts.within10s;
  const older = [beyond1s + counts.within1s, beyond1s, beyond10s];
  return LEVELS.map((within, i) => level(within, samples, older[i] as number));
}

function level(within: number, samples: number, older: number): Nines {
  const share = samples === 0 ? undefined : (samples - older) / samples;
  return {
    within,
    samples,
    older,
    share,
    nines: nines(upperBound(older), samples),
    most: nines(upperBound(0), samples),
  };
}

/** Rounded down to tenths. */
function nines(failures: number, samples: number): number {
  if (!(samples > failures)) return 0;
  return Math.floor(-Math.log10(failures / samples) * 10) / 10;
}

/** One-sided, of the normal distribution. */
const Z95 = 1.645;

/**
 * What the expected number of rare events is below, with 95 % certainty, where `seen` were seen: 3 for none. Wilson and Hilferty's
 * approximation of the quantile of the chi-squared distribution, within 1 % for none and closer for more.
 */
function upperBound(seen: number): number {
  const n = seen + 1;
  return n * (1 - 1 / (9 * n) + Z95 / (3 * Math.sqrt(n))) ** 3;
}
