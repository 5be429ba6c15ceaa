import type { Argument } from './connection.ts';

/**
 * This node's place in the list of nodes: the scripts of the log enter it with every reading, and answer whether it was
 * there.
 */
export class RollCall {
  #node = '';
  #tolerance = 0;
  #present = true;

  /**
   * From now on readings report this node.
   *
   * @param tolerance how long it serves when cut off, in ms beyond the log's `maxLag`
   */
  enter(node: string, tolerance: number): void {
    this.#node = node;
    this.#tolerance = tolerance;
  }

  leave(): void {
    this.#node = '';
  }

  /** What the scripts are told. */
  get answer(): readonly Argument[] {
    return [this.#node, String(Math.ceil(this.#tolerance))];
  }

  /**
   * Whether the last reading found this node in the list. One that did not proves nothing: a writer that looked before it
   * may have waited for all but this node.
   */
  get present(): boolean {
    return this.#present;
  }

  /** Notes whether this node was in the list before a script was asked. */
  heard(present: boolean): void {
    this.#present = present;
  }
}
