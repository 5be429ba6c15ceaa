import type { Row, Statement } from '../postgres/transaction.ts';

/** What runs a statement that is given as a text: a database of Drizzle, or a transaction. */
export interface Executing {
  execute(query: string): PromiseLike<unknown>;
}

/**
 * Runs a statement of ours. Drizzle takes parameters only in objects of its own, which would have to be imported; so they stand in
 * the text, as literals.
 */
export async function run(db: Executing, { text, values }: Statement): Promise<readonly Row[]> {
  const answer = await db.execute(text.replace(/\$(\d+)/g, (_, number: string) => literal(values[Number(number) - 1])));
  // Some drivers answer the rows, others an object that has them.
  return Array.isArray(answer) ? (answer as readonly Row[]) : (answer as { readonly rows: readonly Row[] }).rows;
}

/** A text as a literal that means the same whatever `standard_conforming_strings` says. */
function literal(value: string | undefined): string {
  if (value === undefined) return 'NULL';
  return `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
