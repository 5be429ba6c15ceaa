/** One node of the fleet, as the others know it. */
export interface NodePresence {
  readonly node: string;
  /** The last position it reports as applied. */
  readonly applied: { readonly epoch: string; readonly number: number };
  /** How long it would go on serving if it were cut off now, in ms: its `maxLag` and its `whenDetached` time. */
  readonly servesFor: number;
}

/** The list of nodes, as it was read. */
export interface Roll {
  /** Another one whenever the list may have lost a node, and in each epoch of the log. */
  readonly id: string;
  /** The longest `servesFor` that any node has ever stated, in ms, as far as is known. */
  readonly longest: number;
  readonly nodes: readonly NodePresence[];
}

/**
 * Who is in the fleet. A node registers, *then* takes its snapshot, so that a writer that waits for every listed node
 * misses none.
 *
 * It does not promise that a listed node lives, that the list survives the server (its loss begins no epoch), or that
 * two readings show the same list.
 */
export interface Presence {
  /** Adds or renews this node's entry. */
  register(node: NodePresence): Promise<void>;
  list(): Promise<Roll>;
  remove(node: string): Promise<void>;
}

/** The presence of a single process: there is nobody else to wait for. */
export const aloneInTheFleet: Presence = {
  register: () => Promise.resolve(),
  list: () => Promise.resolve({ id: '', longest: 0, nodes: [] }),
  remove: () => Promise.resolve(),
};
