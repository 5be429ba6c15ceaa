import type { Kysely, KyselyPlugin } from 'kysely';
import { overlay, type TransactionOptions, type Transactions } from '../postgres/transaction.ts';
import {
  type ControlledTransactionOptions,
  controlledTransactionBuilder,
  type InvalidatingControlledTransactionBuilder,
} from './controlled-transaction.ts';
import { type InvalidatingTransactionBuilder, transactionBuilder } from './transaction-builder.ts';

/** A Kysely whose transactions also collect. It may be given wherever the Kysely may. */
export type InvalidatingKysely<DB> = {
  /** As of Kysely. What is collected by `trx.invalidate(...)` is invalidated once it has committed. */
  transaction(options?: TransactionOptions): InvalidatingTransactionBuilder<DB>;
  /** As of Kysely: a transaction with savepoints, which its user commits or rolls back. */
  startTransaction(options?: ControlledTransactionOptions): InvalidatingControlledTransactionBuilder<DB>;
  withPlugin(plugin: KyselyPlugin): InvalidatingKysely<DB>;
  withoutPlugins(): InvalidatingKysely<DB>;
  withSchema(schema: string): InvalidatingKysely<DB>;
} & Kysely<DB>;

/**
 * A Kysely whose transactions invalidate what they have made stale, once they have committed. The Kysely itself stays as it is.
 *
 * @param db with the dialect of Postgres
 * @param transactions from `createTransactions(cache)` of `tidemark/postgres`
 * @throws where a transaction ends, as `Transactions.run`
 * @example
 * const db = withInvalidation(new Kysely<Database>({ dialect }), createTransactions(cache));
 * await db.transaction().execute(async (trx) => {
 *   await trx.updateTable('users').set({ name }).where('id', '=', id).execute();
 *   trx.invalidate(users.at(id));
 * });
 */
export function withInvalidation<DB>(db: Kysely<DB>, transactions: Transactions): InvalidatingKysely<DB> {
  return overlay(db, {
    transaction: (options: TransactionOptions = {}) => transactionBuilder(db, db.transaction(), transactions, options),
    startTransaction: (options: ControlledTransactionOptions = {}) =>
      controlledTransactionBuilder(db, db.startTransaction(), transactions, options),
    withPlugin: (plugin: KyselyPlugin) => withInvalidation(db.withPlugin(plugin), transactions),
    withoutPlugins: () => withInvalidation(db.withoutPlugins(), transactions),
    withSchema: (schema: string) => withInvalidation(db.withSchema(schema), transactions),
  });
}
