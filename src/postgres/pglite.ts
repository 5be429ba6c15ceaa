import type { Target } from '../coherence/target.ts';
import type { Changes } from './changes.ts';
import { savepointsOf } from './savepoint.ts';
import type { DataLayer, Row } from './data-layer.ts';

/** What is needed of a transaction of PGlite. */
export interface PgliteTransactionClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  exec(text: string): Promise<unknown>;
}

/** What is needed of PGlite. */
export interface Pglite {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  transaction<T>(work: (tx: PgliteTransactionClient) => Promise<T>): Promise<T>;
}

/** What a transaction of `P` is given. */
export type PgliteClientOf<P> = P extends {
  transaction(work: (tx: infer Tx extends PgliteTransactionClient) => Promise<unknown>): Promise<unknown>;
}
  ? Tx
  : PgliteTransactionClient;

/** A transaction of PGlite. */
export interface PgliteTransaction<C extends PgliteTransactionClient = PgliteTransactionClient> {
  readonly query: C['query'];
  readonly client: C;
  invalidate(...targets: readonly Target[]): void;
  invalidate(targets: readonly Target[]): void;
  /** Runs `work` in a savepoint: rolled back to, with what was collected in it, if it rejects. */
  savepoint<T>(work: (tx: PgliteTransaction<C>) => Promise<T>): Promise<T>;
}

export function pgliteLayer(db: Pglite): DataLayer<PgliteTransactionClient> {
  return {
    begin: (work, { isolation }) =>
      db.transaction(async (tx: PgliteTransactionClient) => {
        if (isolation !== undefined) await tx.exec(`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`);
        return work(tx);
      }),
    query: async (tx, { text, values }) => (await tx.query(text, [...values])).rows as readonly Row[],
    outside: async ({ text, values }) => (await db.query(text, [...values])).rows as readonly Row[],
  };
}

export function pgliteTransaction<C extends PgliteTransactionClient>(
  client: C,
  changes: Changes,
): PgliteTransaction<C> {
  const savepoint = savepointsOf((text) => client.exec(text));
  const of = (collected: Changes): PgliteTransaction<C> => ({
    client,
    query: client.query.bind(client),
    invalidate: (...targets: readonly unknown[]) => collected.invalidate(...(targets as readonly Target[])),
    savepoint: (work) => savepoint(collected, (inner) => work(of(inner))),
  });
  return of(changes);
}
