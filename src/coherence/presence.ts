import type { Position } from './position.ts';

/** One node of the fleet, as the others know it. */
export interface NodePresence {
  readonly node: string;
  /** The last position it reports as applied; an empty epoch before the first. */
  readonly applied: Position;
}

/** The list of nodes, as it was read. */
export interface Roll {
  /** Another one whenever the list may have lost a node, and in each epoch of the log. */
  readonly id: string;
  /** The longest that any node has ever said it would go on serving if it were cut off, in ms. */
  readonly longest: number;
  readonly nodes: readonly NodePresence[];
}

/**
 * Who is in the fleet, so that a writer can wait for all of them. The list belongs to a log: once a node is registered, its
 * log reports with each proof of freshness what the node has applied, and proves nothing while the node is not listed.
 *
 * It does not promise that a listed node lives, that the list survives the server (its loss begins no epoch, but the list
 * has another id then), or that two readings show the same nodes.
 */
export interface Presence {
  /**
   * Enters this node: at the latest with the next reading of its log, whatever becomes of the promise.
   *
   * @param tolerance how long it would serve when cut off, in ms beyond the log's `maxLag`
   */
  register(node: string, tolerance: number): Promise<void>;
  list(): Promise<Roll>;
  /** For a node that serves nothing any more. */
  remove(node: string): Promise<void>;
}
