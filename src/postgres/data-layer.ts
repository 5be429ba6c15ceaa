import type { Statement } from './carrier.ts';

/** A row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** The isolation levels of Postgres. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

/**
 * What a data layer does for transactions: the port of `tidemark/postgres`. `N` is what the layer gives to the code inside a
 * transaction: its `tx`, `trx` or manager.
 *
 * It does not promise that a `begin` that rejects was rolled back: a connection may be lost while it commits. Nor that what
 * runs inside has ended by then.
 */
export interface DataLayer<N> {
  /** Runs `work` in a transaction: commits when it resolves, rolls back when it rejects, and then rejects with the same error. */
  begin<T>(work: (native: N) => Promise<T>, settings: { readonly isolation: Isolation | undefined }): Promise<T>;
  /** Runs a statement inside that transaction. Its parameters are text, numbered from `$1`. */
  query(native: N, statement: Statement): Promise<readonly Row[]>;
  /** Runs a statement on the same server, outside any transaction. */
  outside(statement: Statement): Promise<readonly Row[]>;
  /**
   * Whether `begin` rejects where Postgres answers a COMMIT by ROLLBACK: it does so, without an error, where a statement has
   * failed and nobody minded. The others are asked by a statement before the COMMIT, where there is none anyway.
   */
  readonly noticesRollback?: boolean;
  /**
   * The SQLSTATE of an error of this layer, where it has one: an error that has none may hide a commit. Default: the `code` of
   * the error or of what caused it.
   */
  sqlState?(error: unknown): string | undefined;
}
