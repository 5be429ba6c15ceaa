/** What asking for a lease was answered. */
export type LeaseAnswer =
  | {
      readonly granted: true;
      release(): Promise<void>;
      /** It is held for another `time` ms from now; `false` when it has run out and is not ours any more. */
      extend(time: number): Promise<boolean>;
    }
  /** Another holder loads. Look into the store in `wait` ms, then ask again; it may take several rounds. */
  | { readonly granted: false; readonly wait: number };

/**
 * The right to load a key, one holder in the whole fleet, for a limited time: what keeps a thousand processes from
 * loading the same key at once. (The idea is memcache's lease, Nishtala et al., NSDI 2013.)
 *
 * It does not promise exclusion: a lease runs out while its holder still loads, and is lost with its server. It saves
 * work; the rule decides about truth.
 */
export interface Lease {
  /**
   * @param key the place of the value: versions of a query do not wait for each other
   * @param time how long it is held unless it is given back or extended, in ms: what a holder that dies costs the others
   */
  acquire(key: string, time: number): Promise<LeaseAnswer>;
}

/** Grants everything at once: for one process, whose flights already share loads. */
export const noLease: Lease = {
  acquire: () => Promise.resolve(GRANTED),
};

const GRANTED: LeaseAnswer = {
  granted: true,
  release: () => Promise.resolve(),
  extend: () => Promise.resolve(true),
};
