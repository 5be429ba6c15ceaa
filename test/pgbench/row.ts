/** A row of the tables that is read: its table's letter and its key, such as `a42`. */
export type RowName = string;

/** A balance as it was loaded. */
export interface Balance {
  readonly balance: number;
  /** Another one for each version of the row. */
  readonly version: string;
  /** When its load began, on this process's clock in ms: it was current after that. */
  readonly asked: number;
}

export const TABLES: Readonly<Record<string, { table: string; key: string; balance: string }>> = {
  a: { table: 'pgbench_accounts', key: 'aid', balance: 'abalance' },
  t: { table: 'pgbench_tellers', key: 'tid', balance: 'tbalance' },
  b: { table: 'pgbench_branches', key: 'bid', balance: 'bbalance' },
};

/** The accounts that are read: few enough that each sees many reads, and some changes. */
const ACCOUNTS = 200;

/** Everything that is read. */
export const rows: readonly RowName[] = [
  'b1',
  ...Array.from({ length: 10 }, (_, i) => `t${i + 1}`),
  ...Array.from({ length: ACCOUNTS }, (_, i) => `a${i + 1}`),
];

/** All of them in one statement. */
export const ALL = Object.entries(TABLES)
  .map(
    ([letter, { table, key, balance }]) =>
      `SELECT '${letter}' || ${key} AS name, ${balance} AS balance, xmin::text AS version FROM ${table} WHERE ${key} <= ${ACCOUNTS}`,
  )
  .join(' UNION ALL ');
