import type pg from 'pg';
import type { RowName } from './row.ts';

/** What a transaction has made of a row. */
export interface Version {
  readonly balance: number;
  /** When it committed, in ms of the wall clock: the server takes this time before anybody sees the commit. */
  readonly at: number;
  /** What came after it. */
  next: Version | undefined;
}

interface Row {
  /** As it was filled. */
  readonly first: Version;
  last: Version;
  /** By the transactions that wrote them. */
  readonly versions: Map<string, Version>;
}

/** What a transaction has written down of itself; `at` is its commit. */
export interface Transaction {
  readonly version: string;
  readonly aid: number;
  readonly tid: number;
  readonly bid: number;
  readonly delta: number;
  readonly at: number;
}

const HISTORY = `SELECT xmin::text AS version, aid, tid, bid, delta,
  (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
FROM pgbench_history ORDER BY pg_xact_commit_timestamp(xmin)`;

/**
 * Every version that any row ever had: each transaction of TPC-B writes into a table of its own what it has added to which rows,
 * and the server remembers when it committed. Who changes a row waits for the commit of who changed it before, so
 * the versions of a row are in the order of their commits.
 */
export class Ledger {
  readonly #rows = new Map<RowName, Row>();

  /** Reads it from a server with `track_commit_timestamp`. */
  static async read(pool: pg.Pool): Promise<Ledger> {
    const { rows } = await pool.query<Transaction>(HISTORY);
    return new Ledger(rows);
  }

  /** @param transactions in the order of their commits */
  constructor(transactions: readonly Transaction[]) {
    for (const it of transactions) for (const name of [`a${it.aid}`, `t${it.tid}`, `b${it.bid}`]) this.#add(name, it);
  }

  /** All versions but those that the rows were filled with. */
  *versions(): Generator<readonly [RowName, Version]> {
    for (const [name, { versions }] of this.#rows) for (const version of versions.values()) yield [name, version];
  }

  /** The version of a row that a transaction wrote; `undefined` if it never had this balance. */
  version(name: RowName, transaction: string, balance: number): Version | undefined {
    const row = this.#rows.get(name);
    const found = row?.versions.get(transaction) ?? row?.first ?? FILLED;
    return found.balance === balance ? found : undefined;
  }

  #add(name: RowName, { version, delta, at }: Transaction): void {
    let row = this.#rows.get(name);
    if (row === undefined) {
      const first = { ...FILLED };
      row = { first, last: first, versions: new Map() };
      this.#rows.set(name, row);
    }
    const made: Version = { balance: row.last.balance + delta, at, next: undefined };
    row.last.next = made;
    row.last = made;
    row.versions.set(version, made);
  }
}

const FILLED: Version = { balance: 0, at: Number.NEGATIVE_INFINITY, next: undefined };
