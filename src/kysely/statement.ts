import type { CompiledQuery, Kysely } from 'kysely';
import type { Row, Statement } from '../postgres/transaction.ts';

/** Runs a statement of ours on a Kysely or a transaction of it, past the plugins: they are for its user's queries. */
export async function run<DB>(db: Kysely<DB>, { text, values }: Statement): Promise<readonly Row[]> {
  const query: CompiledQuery<Row> = {
    sql: text,
    parameters: values,
    query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
    queryId: { queryId: 'tidemark' },
  };
  return (await db.withoutPlugins().executeQuery(query)).rows;
}
