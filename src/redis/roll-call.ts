import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Argument } from './connection.ts';

/**
 * This node's place in the list of nodes, and how long it has known the list: the scripts of the log enter it with every
 * reading, and answer whether it was there.
 */
export class RollCall {
  readonly #stopwatch: Stopwatch;
  #node = '';
  #servesFor = 0;
  #present = true;
  #known = { list: '', epoch: '', since: 0 };

  constructor(stopwatch: Stopwatch) {
    this.#stopwatch = stopwatch;
  }

  /** From now on readings report this node. */
  enter(node: string, servesFor: number): void {
    this.#node = node;
    this.#servesFor = servesFor;
  }

  leave(): void {
    this.#node = '';
  }

  /** What the scripts are told: the node, and how long it serves when cut off. */
  get answer(): readonly Argument[] {
    return [this.#node, String(Math.ceil(this.#servesFor))];
  }

  /**
   * Whether the last reading found this node in the list. One that did not proves nothing: a writer that looked before it
   * may have waited for all but this node.
   */
  get present(): boolean {
    return this.#present;
  }

  /** Notes which list a script has shown, and whether this node was in it before. */
  heard(list: string, epoch: string, present: boolean): void {
    this.#present = present;
    if (list !== this.#known.list || epoch !== this.#known.epoch)
      this.#known = { list, epoch, since: this.#stopwatch.now() };
  }
}
