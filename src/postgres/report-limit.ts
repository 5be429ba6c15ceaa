import type { Clock } from '../coherence/clock.ts';

/** Between two reports of the same thing, in ms. */
const REPORT = 60_000;
/** Things that are remembered. */
const MOST = 1_000;

/** Lets a report of each thing through once a minute. */
export class ReportLimit {
  readonly #clock: Clock;
  readonly #reported = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether this is news */
  passes(text: string): boolean {
    const now = this.#clock.monotonic();
    const last = this.#reported.get(text);
    if (last !== undefined && now - last < REPORT) return false;
    if (this.#reported.size > MOST) this.#reported.clear();
    this.#reported.set(text, now);
    return true;
  }

  /** All is well again: whatever comes next is news. */
  clear(): void {
    this.#reported.clear();
  }
}
