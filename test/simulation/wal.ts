/** What is in a database's own log of a transaction that has committed, as far as replication tells of it. */
export interface WalCommit {
  readonly xid: bigint;
  /** Where its commit begins, and where it ends. The next one may begin there. */
  readonly from: number;
  readonly lsn: number;
  /** Rows that are published. */
  readonly rows: readonly number[];
  /** What the transaction has written down itself. */
  readonly message: Uint8Array | undefined;
}

/** What a transaction writes. */
export type Written = Pick<WalCommit, 'xid' | 'rows' | 'message'>;

/** The database's own log: commits in their order, each at a position. */
export class Wal {
  readonly commits: WalCommit[] = [];
  /** Whether changes of rows are published now: the log keeps to what held when it was written. */
  published = true;
  readonly #listeners = new Set<(commit: WalCommit) => void>();
  #end = 0;

  /** Where it ends. */
  get end(): number {
    return this.#end;
  }

  commit({ xid, rows, message }: Written): WalCommit {
    const from = this.#end++;
    const commit = { xid, from, lsn: this.#end, rows: this.published ? rows : [], message };
    this.commits.push(commit);
    for (const listener of [...this.#listeners]) listener(commit);
    return commit;
  }

  /** Something is written of which replication tells nothing; where it ends. */
  other(): number {
    return ++this.#end;
  }

  /** @returns what ends the listening */
  onCommit(listener: (commit: WalCommit) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
