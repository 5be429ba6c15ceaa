/** A row of the tables that is read: its table's letter and its key, such as `a42`. */
export type RowName = string;

/** A balance as it was loaded. */
export interface Balance {
  readonly balance: number;
  /** The transaction that has written it. */
  readonly version: string;
}

interface Table {
  readonly table: string;
  readonly key: string;
  readonly balance: string;
  /** How many rows there are, with keys from 1. */
  readonly rows: number;
}

/** The tables of one branch. */
export const TABLES: Readonly<Record<string, Table>> = {
  b: { table: 'pgbench_branches', key: 'bid', balance: 'bbalance', rows: 1 },
  t: { table: 'pgbench_tellers', key: 'tid', balance: 'tbalance', rows: 10 },
  a: { table: 'pgbench_accounts', key: 'aid', balance: 'abalance', rows: 100_000 },
};

/** Every row there is; the first {@link HOT} of them change all the time. */
export const rows: readonly RowName[] = Object.entries(TABLES).flatMap(([letter, it]) =>
  Array.from({ length: it.rows }, (_, i) => `${letter}${i + 1}`),
);

/** The branch and its tellers. */
export const HOT = 11;

/** The balances of all rows, in their order. */
export const ALL = `SELECT array_agg(balance ORDER BY place, key) AS balances FROM (${Object.values(TABLES)
  .map(
    ({ table, key, balance }, place) => `SELECT ${place} AS place, ${key} AS key, ${balance} AS balance FROM ${table}`,
  )
  .join(' UNION ALL ')}) AS every`;
