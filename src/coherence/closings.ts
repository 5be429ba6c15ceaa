import type { Label } from './label.ts';
import type { Draft } from './record.ts';
import { TideTable } from './tide-table.ts';

/** Few labels are closed at a time; a collision costs a reader its tolerance, and nobody the truth. */
const SLOTS = 2 ** 12;

/**
 * What strict writes have covered, beside what all records have: a value from before one of them goes to nobody, whatever they
 * tolerate. Positions of one epoch, in a tide table of their own that is made when the first announcement is closed.
 */
export class Closings {
  #table: TideTable | undefined;
  /** Nothing marked before it is certain to be newer than every strict write. */
  #floor = 0;

  /** An announcement was closed at a number of this epoch. */
  add({ labels, patterns }: Pick<Draft, 'labels' | 'patterns'>, number: number): void {
    if (patterns.length > 0) this.#floor = Math.max(this.#floor, number);
    if (labels.length === 0) return;
    this.#table ??= new TideTable(SLOTS);
    for (const label of labels) this.#table.raise(label, number);
  }

  /** Records up to a number were not seen one by one: some may have closed something. */
  skip(number: number): void {
    this.#floor = Math.max(this.#floor, number);
  }

  /**
   * Whether a value of this epoch may be older than a strict write that has covered it. Comparisons are written so that a missing
   * number refuses.
   *
   * @param it its own label and its mark, with the labels that it shares
   */
  cover(it: Label & { readonly mark: number; readonly shared: readonly Label[] }): boolean {
    if (!(it.mark >= this.#floor)) return true;
    const table = this.#table;
    if (table === undefined) return false;
    return !(table.newest(it) <= it.mark) || it.shared.some((label) => !(table.newest(label) <= it.mark));
  }
}
