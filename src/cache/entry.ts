import type { Label } from '../coherence/label.ts';
import type { Marked } from '../coherence/view.ts';
import type { LabelSet } from './label-set.ts';

/**
 * A value in memory with what the rule and the clock need to judge it. Its fields are few and flat: there may be
 * millions. It is its own key's label, so that checking it allocates nothing.
 */
export class Entry implements Marked {
  readonly value: unknown;
  readonly epoch: string;
  /** The log position its loader started from; promotion keeps it. */
  readonly mark: number;
  readonly high: number;
  readonly low: number;
  /** Replaced by a larger one when a reader brings further tags. */
  set: LabelSet;
  /** Stopwatch reading when its load began, in ms. */
  readonly bornAt: number;
  /** Fresh for so long, in ms; `grace` ms more it may stand in for a failing loader. */
  readonly ttl: number;
  readonly grace: number;
  /** The view's revision at which it was last found uncovered. */
  checked = 0;
  /** The moment as of which it is proven that nothing covered it, on the stopwatch. */
  provenAt: number;
  /** The query whose tags are among its labels. */
  owner: object | undefined;

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
    this.bornAt = life.bornAt;
    this.ttl = life.ttl;
    this.grace = life.grace;
    this.provenAt = life.provenAt;
  }

  get shared(): readonly Label[] {
    return this.set.labels;
  }

  freshAt(now: number): boolean {
    return now < this.bornAt + this.ttl;
  }

  keptAt(now: number): boolean {
    return now < this.bornAt + this.ttl + this.grace;
  }
}
