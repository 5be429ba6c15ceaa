/** What became of the samples of a stretch of time. Plain numbers: those of several nodes are added. */
export interface SampleCounts {
  /** The source had the same. */
  readonly same: number;
  /** The source had something else, and a record that covers what was served was here at most so long after. */
  readonly within100ms: number;
  readonly within1s: number;
  readonly within10s: number;
  /** ... later than that. */
  readonly later: number;
  /** The source had something else to the last look, and no record covers what was served. */
  readonly violations: number;
  /** The source did not agree with itself. Not judged, like all that follow. */
  readonly unstable: number;
  /** Somebody changed the very object that was served. */
  readonly mutated: number;
  /** This node was cut off from the log meanwhile. */
  readonly unknown: number;
  /** The loader failed. */
  readonly failed: number;
}

export type SampleOutcome = keyof SampleCounts;

const NONE: SampleCounts = {
  same: 0,
  within100ms: 0,
  within1s: 0,
  within10s: 0,
  later: 0,
  violations: 0,
  unstable: 0,
  mutated: 0,
  unknown: 0,
  failed: 0,
};

export function addCounts(all: readonly SampleCounts[]): SampleCounts {
  const sum: Record<SampleOutcome, number> = { ...NONE };
  for (const counts of all) for (const name of OUTCOMES) sum[name] += counts[name];
  return sum;
}

const OUTCOMES = Object.keys(NONE) as readonly SampleOutcome[];

/** How many of them say something about the cache. */
export function judged(counts: SampleCounts): number {
  const { same, within100ms, within1s, within10s, later, violations } = counts;
  return same + within100ms + within1s + within10s + later + violations;
}

/**
 * 0 to 100, of what was judged: 100 for what was right or covered within 100 ms, 90 for what was covered within a second, 50 for what
 * was covered within ten, 0 for what was covered later or not at all; the mean of these. `undefined` where nothing was judged.
 */
export function consistencyScore(counts: SampleCounts): number | undefined {
  const all = judged(counts);
  if (all === 0) return undefined;
  return (100 * (counts.same + counts.within100ms) + 90 * counts.within1s + 50 * counts.within10s) / all;
}

/** So many slices make the window. */
const SLICES = 20;

/** Counts of all, and of the last stretch of time, to within a twentieth of it. */
export class SampleHistory {
  readonly #window: number;
  #total = { ...NONE };
  #slices: { readonly since: number; readonly counts: Record<SampleOutcome, number> }[] = [];

  /** @param window in ms */
  constructor(window: number) {
    this.#window = window;
  }

  /** @param now monotonic, in ms */
  add(outcome: SampleOutcome, now: number): void {
    let slice = this.#slices.at(-1);
    if (slice === undefined || now - slice.since >= this.#window / SLICES) {
      slice = { since: now, counts: { ...NONE } };
      this.#slices = [...this.#kept(now), slice];
    }
    slice.counts[outcome]++;
    this.#total = { ...this.#total, [outcome]: this.#total[outcome] + 1 };
  }

  get total(): SampleCounts {
    return this.#total;
  }

  recent(now: number): SampleCounts {
    return addCounts(this.#kept(now).map(({ counts }) => counts));
  }

  #kept(now: number): { readonly since: number; readonly counts: Record<SampleOutcome, number> }[] {
    return this.#slices.filter(({ since }) => now - since < this.#window);
  }
}
