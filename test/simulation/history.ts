import type { Receipt } from '../../src/coherence/receipt.ts';

/** What a reader asked for, as far as it bears on what it may be given. */
export interface Wish {
  /** How it reads: the name of the call. */
  readonly call: ReadCall;
  /** Staleness that the reader tolerates, in ms, beyond what is promised to everybody. */
  readonly tolerance: number;
  /** Additional ms for which the node may serve while detached. */
  readonly detached: number;
  /** The write whose receipt's token the reader carries. */
  readonly write: number | undefined;
  /** The writes that the client has heard of whose session it is. */
  readonly session?: readonly number[];
}

export type ReadCall =
  | 'query'
  | 'read'
  | 'getOrSet'
  | 'get'
  | 'peek'
  | 'many'
  | 'consistent'
  | 'bypass'
  | 'keyv'
  | 'atLeast'
  | 'maxStaleness'
  | 'grace'
  | 'shadow'
  | 'audit';

/** A value as loaders make it. */
export interface Value {
  readonly row: number;
  readonly version: number;
  /** The load that made it. */
  readonly load: number;
  /** The version of the query that it is made for; without one the first. */
  readonly shape?: number;
  /** Of what stands in for a value that could not be loaded: the number of that fallback. It is no version of the row. */
  readonly fallback?: number;
}

export type Receipts = Receipt['status'];

/**
 * Everything that bears on a promise, in the order in which it happened. `at` is virtual time in ms. A cell is a row read
 * in one of the ways that differ in their tags, see `catalogue.ts`.
 */
export type Fact = { readonly at: number } & (
  | {
      readonly type: 'plan';
      readonly text: string;
      readonly maxLag: number;
      readonly nodes: number;
      /** Whether a strict write is promised from its commit on, see `profile.ts`. */
      readonly connected?: boolean;
      /** Whether memory has room for all rows, for as long as the run takes. */
      readonly remembers: boolean;
    }
  | { readonly type: 'fault'; readonly text: string }
  /** Rows become visible to new snapshots of the database, each in a new version. */
  | {
      readonly type: 'commit';
      readonly write: number;
      readonly rows: readonly number[];
      readonly versions: readonly number[];
    }
  /** Every node has confirmed the announcement of a strict write, in this epoch. */
  | {
      readonly type: 'announced';
      readonly write: number;
      readonly node: number;
      readonly life: number;
      readonly epoch: string;
      readonly cells: readonly number[];
    }
  /** A strict write was not announced in time: its transaction is rolled back. */
  | {
      readonly type: 'refused';
      readonly write: number;
      readonly node: number;
      readonly code: string;
      readonly text: string;
    }
  /** Something may keep a node, or all, from reaching the log. */
  | { readonly type: 'disturbed'; readonly node: number | undefined; readonly until: number }
  /** A commit is in the database's log, which its rows are visible after. */
  | {
      readonly type: 'logged';
      readonly write: number;
      readonly rows: readonly number[];
      readonly versions: readonly number[];
    }
  /** With a commit, its targets have become visible in the outbox, or its rows to whoever captures them. */
  | {
      readonly type: 'kept';
      readonly write: number;
      readonly by: 'outbox' | 'capture';
      readonly cells: readonly number[];
      readonly versions: readonly number[];
    }
  /** A relay says that everything that was in the database's log before `until` is in the caches' log; `versions` are those. */
  | {
      readonly type: 'told';
      readonly until: number;
      readonly cells: readonly number[];
      readonly versions: readonly number[];
    }
  /** Whether a relay says at the very end that all of the run is in the log. */
  | { readonly type: 'captured'; readonly caughtUp: boolean }
  /** How many rows are in the outbox at the very end. */
  | { readonly type: 'outbox'; readonly count: number }
  /** How many announcements are open at the very end. */
  | { readonly type: 'open'; readonly count: number }
  /** `invalidate` is called; `versions` are those of all rows in the database now. */
  | {
      readonly type: 'called';
      readonly write: number;
      readonly node: number;
      readonly targets: string;
      readonly cells: readonly number[];
      readonly versions: readonly number[];
    }
  | {
      readonly type: 'acknowledged';
      readonly write: number;
      readonly node: number;
      readonly status: Receipts;
      /** Nobody serves anything older, says the receipt. */
      readonly everywhere: boolean;
      /** Nobody is given anything older, whatever they tolerate, says the receipt. */
      readonly strict?: boolean;
    }
  /** A server executed the append of a record; `sole` unless another primary existed then. */
  | {
      readonly type: 'appended';
      readonly server: string;
      readonly epoch: string;
      readonly number: number;
      readonly sole: boolean;
      readonly cells: readonly number[];
      readonly versions: readonly number[];
    }
  | {
      readonly type: 'asked';
      readonly read: number;
      readonly node: number;
      readonly life: number;
      readonly cells: readonly number[];
      /** The version of the query that is read; without one the first. */
      readonly shape?: number;
      readonly wish: Wish;
      /** Whether it reads by a query that has a fallback. */
      readonly fallback?: boolean;
    }
  | {
      readonly type: 'answered';
      readonly read: number;
      readonly values: readonly (Value | undefined)[];
      readonly from: string;
      readonly stale: boolean;
    }
  | {
      readonly type: 'failed';
      readonly read: number;
      readonly code: string;
      readonly load: number | undefined;
      readonly text: string;
    }
  | { readonly type: 'load'; readonly load: number; readonly node: number; readonly row: number }
  | { readonly type: 'loaded'; readonly load: number; readonly version: number; readonly source: string }
  | { readonly type: 'load-failed'; readonly load: number }
  /** A fallback is made for a reader, in place of an error. */
  | {
      readonly type: 'fallback';
      readonly fallback: number;
      readonly read: number;
      readonly row: number;
      readonly code: string;
      readonly load: number | undefined;
    }
  /** The breaker before a life's loads opens, or closes. */
  | { readonly type: 'breaker'; readonly node: number; readonly life: number; readonly open: boolean }
  | { readonly type: 'node'; readonly node: number; readonly event: string; readonly text: string }
  /** A process begins its next life, or ends. */
  | { readonly type: 'started'; readonly node: number; readonly life: number }
  | { readonly type: 'killed'; readonly node: number }
  /** Isolated with an old primary that has no replica configured: outside of what is promised. */
  | { readonly type: 'outside'; readonly node: number; readonly begins: boolean }
  /** All faults are over, and all readers and writers have stopped. */
  | { readonly type: 'quiet' }
  /** A node's cache has ended everything it started. */
  | { readonly type: 'closed'; readonly node: number; readonly unsent: number }
  /** What a node says of itself at the very end. */
  | {
      readonly type: 'status';
      readonly node: number;
      readonly attached: boolean;
      readonly queued: number;
      readonly unsettled: number;
      /** Announcements that it takes for open. */
      readonly announced?: number;
      /** Whether its breaker refuses loads. */
      readonly refuses?: boolean;
    }
);

export type FactOf<K extends Fact['type']> = Extract<Fact, { readonly type: K }>;

type Untimed<F> = F extends unknown ? Omit<F, 'at'> : never;

/** What happened in one run. */
export class History {
  readonly facts: Fact[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(fact: Untimed<Fact>): void {
    this.facts.push({ at: this.#now(), ...fact });
  }

  /** The same for the same history, and for no other: FNV-1a over its facts. */
  hash(): string {
    let hash = 0x811c9dc5;
    for (const fact of this.facts) {
      const text = JSON.stringify(fact);
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    }
    return (hash >>> 0).toString(16).padStart(8, '0');
  }
}
