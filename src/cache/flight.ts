import type { Label } from '../coherence/label.ts';
import type { Position } from '../coherence/position.ts';
import type { Marked } from '../coherence/view.ts';
import type { Entry } from './entry.ts';
import type { From } from './events.ts';
import type { LabelSet } from './label-set.ts';

/** What a flight brought. */
export interface Outcome {
  readonly value: unknown;
  readonly from: Exclude<From, 'memory'>;
  /** What the rule needs to judge the value again. */
  readonly marked: Marked;
  /** See `View.cover`. */
  readonly turn: number;
  /** The position that the value was certainly current at: its mark, or where it was found uncovered. */
  readonly asOf: Position;
  /** Readers whose order is below it began before the value was loaded, or found uncovered: it satisfies them as it is. */
  readonly order: number;
  /** Milliseconds since its load began. */
  readonly age: number;
}

const NOT_STARTED: Promise<Outcome> = new Promise(() => {});

/**
 * One load of one key that is under way, with everybody who waits for it.
 *
 * Until `begin` it looks for the value elsewhere, and has no mark; then its loader runs, under the mark taken there.
 */
export class Flight implements Marked {
  readonly key: string;
  /** Where the value is kept. */
  readonly place: string;
  readonly high: number;
  readonly low: number;
  /** Stopwatch reading at which it started, in ms. */
  readonly startedAt: number;
  /** Grows when the loader adds tags. */
  set: LabelSet;
  /** Whether it loads for a reader whose token this node has not reached. */
  readonly unreached: boolean;
  epoch = '';
  mark: number = Number.NaN;
  /** What was queued on this node up to this turn was committed before the load began. */
  turn = 0;
  /** Its place among readers and loads of this process, once the load has begun. */
  loadOrder = 0;
  /** Its place in the same order, when what the store has began to be checked. */
  checkOrder = 0;
  /** What the store has of it, expired but within its grace and not covered: it may stand in for whoever began the flight. */
  old: Entry | undefined;
  outcome: Promise<Outcome>;
  /** Resolves when what it has loaded is in the store. */
  saved: Promise<void> | undefined;

  /**
   * One that never ends. Where no instance is alive at a collection, the compiler forgets the shape of the class, and all code
   * that it made for it: a fifth of the time of a read.
   */
  static readonly shape: Flight = new Flight('', '', { high: 0, low: 0 }, { labels: [], tags: [] }, false, 0.5);

  constructor(key: string, place: string, own: Label, set: LabelSet, unreached: boolean, startedAt: number) {
    this.key = key;
    this.place = place;
    this.high = own.high;
    this.low = own.low;
    this.set = set;
    this.unreached = unreached;
    this.startedAt = startedAt;
    this.outcome = NOT_STARTED;
  }

  get shared(): readonly Label[] {
    return this.set.labels;
  }

  get loading(): boolean {
    return this.loadOrder > 0;
  }

  /** Takes the mark: from here on the loader may read. */
  begin(mark: Position, turn: number, order: number): void {
    this.epoch = mark.epoch;
    this.mark = mark.number;
    this.turn = turn;
    this.loadOrder = order;
  }
}
