import type { Cache, Receipt } from 'tidemark';
import { type Changes, createTransactions } from 'tidemark/postgres';
import type { Database, Sql } from './database.ts';
import { Problem } from './problem.ts';

/** A transaction. What it makes stale is collected in it, and invalidated once it has committed. */
export interface Transaction extends Sql, Pick<Changes, 'invalidate'> {}

export interface Committed<T> {
  readonly value: T;
  /** Of the invalidation; `undefined` where nothing became stale. */
  readonly receipt: Receipt | undefined;
}

/**
 * Runs a transaction and invalidates what it has made stale; every write of this service goes through it. A copy of the targets
 * is written in the same transaction, so that they reach the log even if this process dies right after the commit.
 *
 * @throws Problem `slot-taken` where somebody else has the time
 */
export type Transact = <T>(work: (tx: Transaction) => Promise<T>) => Promise<Committed<T>>;

export function createTransact(cache: Cache, { driver }: Database): Transact {
  const { withReceipt } = createTransactions(cache);
  const options = { retries: 2 };
  return async (work) => {
    try {
      return driver.kind === 'pg'
        ? await withReceipt(driver.db, (tx) => work(transactionOf(tx)), options)
        : await withReceipt(driver.db, (tx) => work(transactionOf(tx)), options);
    } catch (error) {
      // The exclusion constraint on claims.
      if ((error as { code?: unknown }).code === '23P01') throw slotTaken(error);
      throw error;
    }
  };
}

export function slotTaken(cause?: unknown): Problem {
  const cure = 'Ask for the availability again, and choose another time.';
  return new Problem(409, 'slot-taken', 'Somebody else has this time, or a part of it.', { cure, cause });
}

interface DriverTransaction extends Pick<Changes, 'invalidate'> {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

function transactionOf(tx: DriverTransaction): Transaction {
  return {
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await tx.query(text, [...values])).rows as Row[],
    invalidate: tx.invalidate,
  };
}
