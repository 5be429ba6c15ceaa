import type pg from 'pg';
import { type Balance, type RowName, TABLES } from './row.ts';

/** The balances of rows as they are in one table or several, in the order of the names. */
export async function load(pool: pg.Pool, names: readonly RowName[]): Promise<Balance[]> {
  const found = new Map<RowName, Balance>();
  for (const [letter, { table, key, balance }] of Object.entries(TABLES)) {
    const keys = names.filter((name) => name.startsWith(letter)).map((name) => Number(name.slice(1)));
    if (keys.length === 0) continue;
    const { rows } = await pool.query<Balance & { id: number }>(
      `SELECT ${key} AS id, ${balance} AS balance, xmin::text AS version FROM ${table} WHERE ${key} = ANY ($1)`,
      [keys],
    );
    for (const row of rows) found.set(`${letter}${row.id}`, { balance: row.balance, version: row.version });
  }
  return names.map((name) => found.get(name) as Balance);
}
