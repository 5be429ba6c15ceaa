import { readFileSync } from 'node:fs';
import type { Sql } from './database.ts';

/** A query kept in a file of `sql/`. Being one statement, it sees the database at one moment. */
export interface Statement<Row> {
  all(...parameters: string[]): Promise<Row[]>;
  /** For a query that always has exactly one row. */
  one(...parameters: string[]): Promise<Row>;
}

/** @param name of the file, without `.sql` */
export function statement<Row extends object>(sql: Sql, name: string): Statement<Row> {
  const text = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
  // Copied, because the driver's array has its own state attached, and the cache freezes what it keeps.
  const all = async (...parameters: string[]): Promise<Row[]> => [
    ...(await sql.unsafe<Row[]>(text, parameters, { prepare: true })),
  ];
  const one = async (...parameters: string[]): Promise<Row> => {
    const [row] = await all(...parameters);
    if (!row) throw new Error(`sql/${name}.sql has answered no row`);
    return row;
  };
  return { all, one };
}
