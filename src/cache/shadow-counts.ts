import type { ShadowOutcome } from './events.ts';

/**
 * What reads in shadow mode have found. They are counted when their load is there; a difference that is not judged yet is among
 * `hits`, and nowhere else.
 */
export interface ShadowCounts {
  readonly reads: number;
  /** The cache would have had a value, and saved the load. */
  readonly hits: number;
  /** ... and it was what was loaded. */
  readonly same: number;
  /** ... and it was another; an invalidation of it was under way. */
  readonly changed: number;
  /** ... and it was another, which nobody has invalidated: what readers would have been given wrongly. */
  readonly differed: number;
  /** ... and it was another, and nobody can say why. */
  readonly unknown: number;
}

/** Counts for one query. */
export class ShadowTally {
  #reads = 0;
  #hits = 0;
  readonly #judged: Record<ShadowOutcome, number> = { miss: 0, same: 0, changed: 0, differed: 0, unknown: 0 };

  read(hit: boolean): void {
    this.#reads++;
    if (hit) this.#hits++;
  }

  judge(outcome: ShadowOutcome): void {
    this.#judged[outcome]++;
  }

  get counts(): ShadowCounts {
    const { same, changed, differed, unknown } = this.#judged;
    return { reads: this.#reads, hits: this.#hits, same, changed, differed, unknown };
  }
}
