import type { Target } from '../coherence/target.ts';
import type { Statement } from './carrier.ts';
import type { Changes } from './changes.ts';
import type { DataLayer, Isolation, Row } from './data-layer.ts';
import { savepointsOf } from './savepoint.ts';
import { isRolledBack, sqlState } from './sql-state.ts';
import { rolledBackAtCommit } from './transaction-attempt.ts';

/** What is needed of a client of `pg`, or of a pool for one statement. */
export interface PgQueryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Row[]; readonly command?: string }>;
}

/** What is needed of `pg.PoolClient`. */
export interface PgPoolClient extends PgQueryable {
  release(error?: Error | boolean): void;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  off?(event: 'error', listener: (error: Error) => void): unknown;
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
      // 1. The client is not the pool's now, so nobody listens to it. 2. Its connection is lost between two statements. 3. Without
      // a listener that would end the process. The next statement rejects anyway.
      client.on?.('error', ignore);
      const transaction = new PgClientTransaction(client);
      try {
        return await transaction.run(isolation, work);
      } finally {
        client.off?.('error', ignore);
        // One that may still be in a transaction, or has nobody to talk to, is not given to others.
        client.release(transaction.broken);
      }
    },
    query: async (client, { text, values }) => (await client.query(text, [...values])).rows,
    outside: async ({ text, values }: Statement) => (await pool.query(text, [...values])).rows,
    noticesRollback: true,
  };
}

const ignore = (): void => {};

/** One transaction on one client. */
class PgClientTransaction {
  /** Why nobody knows what the connection is in the middle of. */
  broken: Error | undefined;
  readonly #client: PgPoolClient;

  constructor(client: PgPoolClient) {
    this.#client = client;
  }

  async run<T>(isolation: Isolation | undefined, work: (client: PgPoolClient) => Promise<T>): Promise<T> {
    await this.#control(isolation === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`);
    let value: T;
    try {
      value = await work(this.#client);
    } catch (error) {
      await this.#control('ROLLBACK').catch(ignore);
      throw error;
    }
    const { command } = await this.#control('COMMIT');
    // Postgres answers so, without an error, where a statement has failed and nobody minded.
    if (command === 'ROLLBACK') throw rolledBackAtCommit();
    return value;
  }

  /** A statement after which, if it fails otherwise than by an answer of the server, the connection is of no use. */
  async #control(text: string): Promise<{ readonly command?: string }> {
    try {
      return await this.#client.query(text);
    } catch (error) {
      if (!isRolledBack(sqlState(error))) this.broken = error as Error;
      throw error;
    }
  }
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
