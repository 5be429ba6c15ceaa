import type { Label } from '../coherence/label.ts';
import type { Marked } from '../coherence/view.ts';
import type { LabelSet } from './label-set.ts';
import type { Tally } from './tally.ts';

/** As a `provenAt`: nothing is proven. */
export const NEVER: number = -(2 ** 30);

/**
 * A value in memory with what the rule and the clock need to judge it. It is its own key's label, so that checking it
 * allocates nothing.
 *
 * There may be millions, and a hit is mostly the time to fetch their memory: so what a hit looks at stands first, and
 * times are whole milliseconds, which V8 keeps in place where fractions would live in a box elsewhere.
 */
export class Entry implements Marked {
  readonly value: unknown;
  /** The view's revision at which it was last found uncovered. */
  checked = 0;
  /** The generation of the memory tier in which it was last moved to the young end. */
  generation = 0;
  /** Until then, on the stopwatch, its TTL has not passed. */
  readonly freshUntil: number;
  /** The moment as of which it is proven that nothing covered it, on the stopwatch, in ms. */
  provenAt: number;
  /** The query whose tags are among its labels. */
  owner: Tally | undefined;
  /**
   * The place of its load in the order of readers and loads of this process, where the load was told to read the primary and
   * nothing else; otherwise 0.
   */
  sourced = 0;
  /** Stopwatch reading when its load began, in ms. */
  readonly bornAt: number;
  readonly epoch: string;
  /** The log position its loader started from; promotion keeps it. */
  readonly mark: number;
  readonly high: number;
  readonly low: number;
  /** Replaced by a larger one when a reader brings further tags. */
  set: LabelSet;
  /** For so long after its TTL it may stand in for a failing loader, in ms. */
  readonly grace: number;

  constructor(
    marked: { value: unknown; epoch: string; mark: number; own: Label; set: LabelSet },
    life: { bornAt: number; ttl: number; grace: number; provenAt: number },
  ) {
    this.value = marked.value;
    this.epoch = marked.epoch;
    this.mark = marked.mark;
    this.high = marked.own.high;
    this.low = marked.own.low;
    this.set = marked.set;
    this.bornAt = Math.floor(life.bornAt);
    this.freshUntil = this.bornAt + life.ttl;
    this.grace = life.grace;
    this.provenAt = Math.floor(Math.max(NEVER, life.provenAt));
  }

  /** Rounded down: a tolerance counted from it is never too generous. */
  prove(at: number): void {
    const whole = Math.floor(at);
    if (whole > this.provenAt) this.provenAt = whole;
  }

  get shared(): readonly Label[] {
    return this.set.labels;
  }

  get ttl(): number {
    return this.freshUntil - this.bornAt;
  }

  freshAt(now: number): boolean {
    return now < this.freshUntil;
  }
}
