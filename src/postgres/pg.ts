import { TidemarkError } from '../coherence/errors.ts';
import type { Target } from '../coherence/target.ts';
import type { Statement } from './carrier.ts';
import type { Changes } from './changes.ts';
import { savepointsOf } from './savepoint.ts';
import type { DataLayer, Isolation, Row } from './transaction.ts';

/** What is needed of a client of `pg`, or of a pool for one statement. */
export interface PgQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Row[]; readonly command?: string }>;
}

/** What is needed of `pg.PoolClient`. */
export interface PgPoolClient extends PgQueryable {
  release(error?: Error | boolean): void;
}

/** What is needed of `pg.Pool`. */
export interface PgPool extends PgQueryable {
  connect(): Promise<PgPoolClient>;
}

/** A transaction of `pg`. */
export interface PgTransaction<P extends PgQueryable = PgPool> {
  /** As of the client. */
  readonly query: P['query'];
  /** The client that the transaction runs on. Whoever ends the transaction through it is not noticed. */
  readonly client: PgPoolClient;
  /** See {@link Changes.invalidate}. */
  invalidate(...targets: readonly Target[]): void;
  invalidate(targets: readonly Target[]): void;
  /** Runs `work` in a savepoint: rolled back to, with what was collected in it, if it rejects. */
  savepoint<T>(work: (tx: PgTransaction<P>) => Promise<T>): Promise<T>;
}

/** @param pool where each transaction takes a client from, and gives it back */
export function pgLayer(pool: PgPool): DataLayer<PgPoolClient> {
  return {
    async begin(work, { isolation }) {
      const client = await pool.connect();
      let failure: Error | undefined;
      try {
        return await inTransaction(client, isolation, work);
      } catch (error) {
        failure = error as Error;
        throw error;
      } finally {
        // One that is still in a transaction, or has none to talk to, is not given to others.
        client.release(failure !== undefined && broken.has(failure) ? failure : undefined);
      }
    },
    query: async (client, { text, values }) => (await client.query(text, [...values])).rows,
    outside: async ({ text, values }: Statement) => (await pool.query(text, [...values])).rows,
  };
}

/** Errors after which nobody knows what a connection is in the middle of. */
const broken = new WeakSet<Error>();

async function inTransaction<T>(
  client: PgPoolClient,
  isolation: Isolation | undefined,
  work: (client: PgPoolClient) => Promise<T>,
): Promise<T> {
  await client.query(isolation === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`);
  let value: T;
  try {
    value = await work(client);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      if (error instanceof Error) broken.add(error);
    });
    throw error;
  }
  const { command } = await client.query('COMMIT').catch((error: Error) => {
    broken.add(error);
    throw error;
  });
  // Postgres answers so, without an error, where a statement has failed and nobody minded.
  if (command === 'ROLLBACK')
    throw new TidemarkError(
      'NOT_COMMITTED',
      'The transaction was rolled back at its COMMIT, since one of its statements had failed. Let that error reach transaction(), or use tx.savepoint().',
    );
  return value;
}

export function pgTransaction<P extends PgQueryable>(client: PgPoolClient, changes: Changes): PgTransaction<P> {
  const savepoint = savepointsOf((text) => client.query(text));
  const of = (collected: Changes): PgTransaction<P> => ({
    client,
    query: client.query.bind(client),
    invalidate: (...targets: readonly unknown[]) => collected.invalidate(...(targets as readonly Target[])),
    savepoint: (work) => savepoint(collected, (inner) => work(of(inner))),
  });
  return of(changes);
}
