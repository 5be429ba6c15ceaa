import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Changes } from './changes.ts';
import { type PgPool, type PgTransaction, pgLayer, pgTransaction } from './pg.ts';
import { type Pglite, type PgliteClientOf, type PgliteTransaction, pgliteLayer, pgliteTransaction } from './pglite.ts';
import {
  type PostgresJsSql,
  type PostgresJsTransaction,
  postgresJsLayer,
  postgresJsTransaction,
} from './postgres-js.ts';
import {
  type Committed,
  type Invalidator,
  type TransactionOptions,
  Transactions,
  type TransactionsOptions,
} from './transaction.ts';

/** Runs a transaction of `pg`, `postgres` or PGlite; `R` is what comes of one that returned `T`. */
export interface RunTransaction<Wrapped extends boolean> {
  <P extends PgPool, T>(
    pool: P,
    work: (tx: PgTransaction<P>) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<Wrapped extends true ? Committed<T> : T>;
  <S extends PostgresJsSql, T>(
    sql: S,
    work: (sql: PostgresJsTransaction<S>) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<Wrapped extends true ? Committed<T> : T>;
  <P extends Pglite, T>(
    db: P,
    work: (tx: PgliteTransaction<PgliteClientOf<P>>) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<Wrapped extends true ? Committed<T> : T>;
}

/** {@link Transactions} with the drivers that need no package of their own. */
export class DriverTransactions extends Transactions {
  /**
   * Runs `work` in a transaction and invalidates what it has collected by `tx.invalidate(...)`, once it has committed.
   *
   * @param db a `pg.Pool`, the `sql` of `postgres`, or a PGlite
   * @returns what `work` returns
   * @throws as {@link Transactions.run}
   * @example
   * await transaction(pool, async (tx) => {
   *   await tx.query('UPDATE users SET name = $1 WHERE id = $2', [name, id]);
   *   tx.invalidate(users.at(id));
   * });
   */
  readonly transaction: RunTransaction<false> = (async (db: unknown, work: never, options?: TransactionOptions) =>
    (await this.#over(db, work, options)).value) as RunTransaction<false>;

  /** As {@link transaction}, with the receipt: its token lets other services read this write. */
  readonly withReceipt: RunTransaction<true> = ((db: unknown, work: never, options?: TransactionOptions) =>
    this.#over(db, work, options)) as RunTransaction<true>;

  async #over<T>(db: unknown, work: (tx: never) => T, options: TransactionOptions | undefined): Promise<Committed<T>> {
    const call = (tx: unknown): T => work(tx as never);
    const able = (...names: string[]): boolean =>
      names.every((name) => typeof (db as Record<string, unknown> | null | undefined)?.[name] === 'function');
    if (able('begin', 'unsafe'))
      return this.run(
        postgresJsLayer(db as PostgresJsSql),
        (it, c: Changes) => call(postgresJsTransaction(it, c)),
        options,
      );
    if (able('connect', 'query') && (db as { totalCount?: unknown }).totalCount !== undefined)
      return this.run(pgLayer(db as PgPool), (it, c) => call(pgTransaction(it, c)), options);
    if (able('transaction', 'query'))
      return this.run(pgliteLayer(db as Pglite), (it, c) => call(pgliteTransaction(it, c)), options);
    throw new TidemarkError(
      'INVALID_OPTION',
      `transaction: ${shorten(db)} is no database. Give a pg.Pool, the sql of postgres(), or a PGlite; Kysely, Drizzle, Prisma and TypeORM have subpaths of their own.`,
    );
  }
}

/**
 * Transactions for a cache: what they make stale is collected while they run, written down in them, and invalidated once they
 * have committed. `Transactions.run` takes the data layers of `tidemark/kysely` and the others.
 *
 * @param cache whose log hears of the changes
 * @throws TidemarkError `INVALID_OPTION`
 * @example const { transaction } = createTransactions(cache);
 */
export function createTransactions(cache: Invalidator, options?: TransactionsOptions): DriverTransactions {
  return new DriverTransactions(cache, options);
}
