import type { Target } from '../coherence/target.ts';
import type { Changes } from './changes.ts';
import type { DataLayer, Row } from './data-layer.ts';

/** What is needed of `sql` of the package `postgres`, inside a transaction and outside. */
export interface PostgresJsQueryable {
  unsafe(text: string, values?: never[]): PromiseLike<readonly Row[]>;
}

/** What is needed of its `sql` inside a transaction. */
export interface PostgresJsTransactionSql extends PostgresJsQueryable {
  savepoint(...args: never[]): Promise<unknown>;
}

/** What is needed of `postgres(url)`. */
export interface PostgresJsSql extends PostgresJsQueryable {
  // Its two forms, with and without options, are told apart where they are called.
  begin(...args: never[]): Promise<unknown>;
}

/** The `sql` that a transaction of `S` is given. */
export type PostgresJsTransactionSqlOf<S> = S extends {
  begin(options: string, work: (sql: infer Tx extends PostgresJsTransactionSql) => unknown): Promise<unknown>;
}
  ? Tx
  : PostgresJsTransactionSql;

/** What a transaction's `sql` can do besides. */
export interface PostgresJsCollecting<S> {
  invalidate(...targets: readonly Target[]): void;
  invalidate(targets: readonly Target[]): void;
  /** Runs `work` in a savepoint: rolled back to, with what was collected in it, if it rejects. */
  savepoint<T>(work: (sql: PostgresJsTransaction<S>) => Promise<T>): Promise<T>;
}

/** A transaction of `postgres`: its own `sql`, which also collects. */
export type PostgresJsTransaction<S> = PostgresJsCollecting<S> & PostgresJsTransactionSqlOf<S>;

export function postgresJsLayer(sql: PostgresJsSql): DataLayer<PostgresJsTransactionSql> {
  return {
    begin: <T>(
      work: (native: PostgresJsTransactionSql) => Promise<T>,
      { isolation }: { isolation: string | undefined },
    ) =>
      (isolation === undefined
        ? sql.begin(work as never)
        : sql.begin(`ISOLATION LEVEL ${isolation.toUpperCase()}` as never, work as never)) as Promise<T>,
    query: async (native, { text, values }) => native.unsafe(text, [...values] as never[]),
    outside: async ({ text, values }) => sql.unsafe(text, [...values] as never[]),
    // It rejects where any of its statements has, whoever minded.
    noticesRollback: true,
  };
}

export function postgresJsTransaction<S extends PostgresJsSql>(
  native: PostgresJsTransactionSql,
  changes: Changes,
): PostgresJsTransaction<S> {
  const savepoint = native.savepoint.bind(native);
  return Object.assign(native, {
    invalidate: (...targets: readonly unknown[]) => changes.invalidate(...(targets as readonly Target[])),
    savepoint: <T>(work: (sql: PostgresJsTransaction<S>) => Promise<T>): Promise<T> =>
      changes.nested(
        (inner) =>
          savepoint(((nested: PostgresJsTransactionSql) =>
            work(postgresJsTransaction<S>(nested, inner))) as never) as Promise<T>,
      ),
  }) as unknown as PostgresJsTransaction<S>;
}
