import type { AccessMode, IsolationLevel, Kysely, Transaction, TransactionBuilder } from 'kysely';
import {
  type Changes,
  type Collecting,
  type Committed,
  type DataLayer,
  overlay,
  savepointsOf,
  type TransactionOptions,
  type Transactions,
} from '../postgres/transaction.ts';
import { run } from './statement.ts';

/** A transaction of Kysely, which also collects. */
export type InvalidatingTransaction<DB> = Collecting & {
  /** Runs `work` in a savepoint: rolled back to, with what was collected in it, if it rejects. */
  savepoint<T>(work: (trx: InvalidatingTransaction<DB>) => Promise<T>): Promise<T>;
} & Transaction<DB>;

/** As Kysely's `TransactionBuilder`. */
export interface InvalidatingTransactionBuilder<DB> {
  setAccessMode(accessMode: AccessMode): InvalidatingTransactionBuilder<DB>;
  setIsolationLevel(isolationLevel: IsolationLevel): InvalidatingTransactionBuilder<DB>;
  /** Runs `work` in a transaction, and invalidates what it has collected once that has committed. */
  execute<T>(work: (trx: InvalidatingTransaction<DB>) => Promise<T>): Promise<T>;
  /** As `execute`, with the receipt: its token lets other services read this write. */
  executeWithReceipt<T>(work: (trx: InvalidatingTransaction<DB>) => Promise<T>): Promise<Committed<T>>;
}

export function transactionBuilder<DB>(
  db: Kysely<DB>,
  builder: TransactionBuilder<DB>,
  transactions: Transactions,
  options: TransactionOptions,
): InvalidatingTransactionBuilder<DB> {
  const again = (changed: TransactionBuilder<DB>): InvalidatingTransactionBuilder<DB> =>
    transactionBuilder(db, changed, transactions, options);
  const layer: DataLayer<Transaction<DB>> = {
    begin: (work, { isolation }) =>
      (isolation === undefined ? builder : builder.setIsolationLevel(isolation)).execute(work),
    query: run,
    outside: (statement) => run(db, statement),
  };
  const executeWithReceipt = <T>(work: (trx: InvalidatingTransaction<DB>) => Promise<T>): Promise<Committed<T>> =>
    transactions.run(layer, (trx, changes) => work(collecting(trx, changes)), options);
  return {
    setAccessMode: (accessMode) => again(builder.setAccessMode(accessMode)),
    setIsolationLevel: (isolationLevel) => again(builder.setIsolationLevel(isolationLevel)),
    execute: async (work) => (await executeWithReceipt(work)).value,
    executeWithReceipt,
  };
}

function collecting<DB>(trx: Transaction<DB>, changes: Changes): InvalidatingTransaction<DB> {
  // Names that differ, however deep they are.
  const savepoint = savepointsOf((text) => run(trx, { text, values: [] }));
  const of = (collected: Changes): InvalidatingTransaction<DB> =>
    overlay(trx, {
      invalidate: (...targets: never[]) => collected.invalidate(...targets),
      savepoint: <T>(work: (trx: InvalidatingTransaction<DB>) => Promise<T>): Promise<T> =>
        savepoint(collected, (inner) => work(of(inner))),
    });
  return of(changes);
}
