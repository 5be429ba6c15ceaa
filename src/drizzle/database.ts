import type { PgTransactionConfig } from 'drizzle-orm/pg-core';
import {
  type Changes,
  type Collecting,
  type Committed,
  type DataLayer,
  type Isolation,
  overlay,
  type TransactionOptions,
  type Transactions,
} from '../postgres/transaction.ts';
import { type Executing, run } from './statement.ts';

/** What is needed of a database of Drizzle for Postgres, of whatever driver. */
export interface DrizzleDatabase extends Executing {
  // Each has a `tx` of its own type.
  transaction(...args: never[]): Promise<unknown>;
}

/** The transaction that `D` gives to its work. */
export type DrizzleTransactionOf<D> = D extends {
  transaction(work: (tx: infer Tx extends DrizzleDatabase) => Promise<unknown>): Promise<unknown>;
}
  ? Tx
  : DrizzleDatabase;

/** A transaction of `D`, which also collects. */
export type InvalidatingTransaction<D> = Collecting & {
  /** As of Drizzle, a savepoint: what is collected in it is dropped where it is rolled back. */
  transaction<T>(work: (tx: InvalidatingTransaction<D>) => Promise<T>): Promise<T>;
} & DrizzleTransactionOf<D>;

/** As of Drizzle, with what is ours. */
export interface DrizzleTransactionConfig extends PgTransactionConfig, Omit<TransactionOptions, 'isolation'> {}

/** A database whose transactions also collect. It may be given wherever `D` may. */
export type InvalidatingDatabase<D> = {
  /** As of Drizzle. What is collected by `tx.invalidate(...)` is invalidated once it has committed. */
  transaction<T>(work: (tx: InvalidatingTransaction<D>) => Promise<T>, config?: DrizzleTransactionConfig): Promise<T>;
  /** As `transaction`, with the receipt: its token lets other services read this write. */
  transactionWithReceipt<T>(
    work: (tx: InvalidatingTransaction<D>) => Promise<T>,
    config?: DrizzleTransactionConfig,
  ): Promise<Committed<T>>;
} & D;

/**
 * A database of Drizzle whose transactions invalidate what they have made stale, once they have committed. The database itself
 * stays as it is.
 *
 * @param db of `drizzle-orm/node-postgres`, `drizzle-orm/postgres-js` or another driver for Postgres
 * @param transactions from `createTransactions(cache)` of `tidemark/postgres`
 * @throws where a transaction ends, as `Transactions.run`
 * @example
 * const db = withInvalidation(drizzle(pool), createTransactions(cache));
 * await db.transaction(async (tx) => {
 *   await tx.update(users).set({ name }).where(eq(users.id, id));
 *   tx.invalidate(userQuery.at(id));
 * });
 */
export function withInvalidation<D extends DrizzleDatabase>(
  db: D,
  transactions: Transactions,
): InvalidatingDatabase<D> {
  const transactionWithReceipt = <T>(
    work: (tx: InvalidatingTransaction<D>) => Promise<T>,
    config: DrizzleTransactionConfig = {},
  ): Promise<Committed<T>> => {
    const { isolationLevel, accessMode, deferrable, ...options } = config;
    return transactions.run(
      layerOf(db, { ...(accessMode && { accessMode }), ...(deferrable !== undefined && { deferrable }) }),
      (tx, changes) => work(collecting<D>(tx, changes)),
      { ...options, ...(isolationLevel && { isolation: isolationOf(isolationLevel) }) },
    );
  };
  return overlay(db, {
    transactionWithReceipt,
    transaction: async <T>(
      work: (tx: InvalidatingTransaction<D>) => Promise<T>,
      config?: DrizzleTransactionConfig,
    ): Promise<T> => (await transactionWithReceipt(work, config)).value,
  });
}

/** Postgres has no dirty reads: it takes the weakest level for the one above. */
function isolationOf(level: Required<PgTransactionConfig>['isolationLevel']): Isolation {
  return level === 'read uncommitted' ? 'read committed' : level;
}

function layerOf(db: DrizzleDatabase, given: PgTransactionConfig): DataLayer<DrizzleDatabase> {
  return {
    begin: <T>(work: (tx: DrizzleDatabase) => Promise<T>, { isolation }: { isolation: Isolation | undefined }) => {
      const config = { ...given, ...(isolation && { isolationLevel: isolation }) };
      // An empty one would be one statement more, with nothing to set.
      const set = Object.keys(config).length > 0;
      return db.transaction(work as never, ...(set ? [config as never] : [])) as Promise<T>;
    },
    query: run,
    outside: (statement) => run(db, statement),
  };
}

function collecting<D>(tx: DrizzleDatabase, changes: Changes): InvalidatingTransaction<D> {
  return overlay(tx, {
    invalidate: (...targets: never[]) => changes.invalidate(...targets),
    transaction: <T>(work: (tx: InvalidatingTransaction<D>) => Promise<T>): Promise<T> =>
      changes.nested(
        (inner) =>
          tx.transaction(((nested: DrizzleDatabase) => work(collecting<D>(nested, inner))) as never) as Promise<T>,
      ),
  }) as unknown as InvalidatingTransaction<D>;
}
