import type { AccessMode, ControlledTransaction, ControlledTransactionBuilder, IsolationLevel, Kysely } from 'kysely';
import {
  type Collecting,
  overlay,
  type TransactionAttempt,
  type TransactionOptions,
  type Transactions,
} from '../postgres/transaction.ts';
import { run } from './statement.ts';

/** Options of a transaction that its user ends: nobody else could run it again. */
export type ControlledTransactionOptions = Omit<TransactionOptions, 'retries'>;

/** As Kysely's `Command`. */
export interface ControlledCommand<T> {
  execute(): Promise<T>;
}

/** Savepoints up to and with the one that was rolled back to. */
type UpTo<S extends string[], N> = S extends [...infer L extends string[], infer R]
  ? R extends N
    ? S
    : UpTo<L, N>
  : never;

/** Savepoints before the one that was released. */
type Before<S extends string[], N> = S extends [...infer L extends string[], infer R]
  ? R extends N
    ? L
    : Before<L, N>
  : never;

/** A controlled transaction of Kysely, which also collects; `S` are its savepoints. */
export type InvalidatingControlledTransaction<DB, S extends string[] = []> = Collecting & {
  /** Commits, and invalidates what was collected. Answers the receipt, or `undefined` where nothing was. */
  commit(): ControlledCommand<Awaited<ReturnType<TransactionAttempt['committed']>>>;
  rollback(): ControlledCommand<void>;
  savepoint<N extends string>(
    name: N extends S[number] ? never : N,
  ): ControlledCommand<InvalidatingControlledTransaction<DB, [...S, N]>>;
  /** Drops what was collected since the savepoint, too. */
  rollbackToSavepoint<N extends S[number]>(
    name: N,
  ): ControlledCommand<InvalidatingControlledTransaction<DB, UpTo<S, N>>>;
  releaseSavepoint<N extends S[number]>(
    name: N,
  ): ControlledCommand<InvalidatingControlledTransaction<DB, Before<S, N>>>;
} & ControlledTransaction<DB, S>;

/** As Kysely's `ControlledTransactionBuilder`. */
export interface InvalidatingControlledTransactionBuilder<DB> {
  setAccessMode(accessMode: AccessMode): InvalidatingControlledTransactionBuilder<DB>;
  setIsolationLevel(isolationLevel: IsolationLevel): InvalidatingControlledTransactionBuilder<DB>;
  /** Begins. Reads of the cache until the end are not kept from it: wrap them in `cache.bypass(...)`. */
  execute(): Promise<InvalidatingControlledTransaction<DB>>;
}

export function controlledTransactionBuilder<DB>(
  db: Kysely<DB>,
  builder: ControlledTransactionBuilder<DB>,
  transactions: Transactions,
  options: ControlledTransactionOptions,
): InvalidatingControlledTransactionBuilder<DB> {
  const again = (changed: ControlledTransactionBuilder<DB>): InvalidatingControlledTransactionBuilder<DB> =>
    controlledTransactionBuilder(db, changed, transactions, options);
  return {
    setAccessMode: (accessMode) => again(builder.setAccessMode(accessMode)),
    setIsolationLevel: (isolationLevel) => again(builder.setIsolationLevel(isolationLevel)),
    async execute() {
      const attempt = transactions.attempt(options);
      const { isolation } = options;
      const trx = await (isolation === undefined ? builder : builder.setIsolationLevel(isolation)).execute();
      return new Control(db, attempt).collecting(trx);
    },
  };
}

/** What the objects that stand for one transaction have in common: each savepoint makes another. */
class Control<DB> {
  readonly #db: Kysely<DB>;
  readonly #attempt: TransactionAttempt;
  /** The savepoints that there are, the newest last, with the marks of what was collected before them. */
  #savepoints: readonly { readonly name: string; readonly mark: number }[] = [];

  constructor(db: Kysely<DB>, attempt: TransactionAttempt) {
    this.#db = db;
    this.#attempt = attempt;
  }

  collecting<S extends string[]>(trx: ControlledTransaction<DB, S>): InvalidatingControlledTransaction<DB, S> {
    const native = trx as ControlledTransaction<DB, string[]>;
    const { changes } = this.#attempt;
    return overlay(trx, {
      invalidate: (...targets: never[]) => changes.invalidate(...targets),
      commit: () => ({ execute: () => this.#commit(native) }),
      rollback: () => ({ execute: () => this.#rollBack(native) }),
      savepoint: (name: string) => ({ execute: () => this.#savepoint(native, name) }),
      rollbackToSavepoint: (name: string) => ({ execute: () => this.#rollBackTo(native, name) }),
      releaseSavepoint: (name: string) => ({ execute: () => this.#release(native, name) }),
    }) as unknown as InvalidatingControlledTransaction<DB, S>;
  }

  async #commit(trx: ControlledTransaction<DB, string[]>) {
    await this.#attempt.prepare((statement) => run(trx, statement));
    try {
      await trx.commit().execute();
    } catch (error) {
      await this.#attempt.failed(error);
      throw error;
    }
    return this.#attempt.committed((statement) => run(this.#db, statement));
  }

  async #rollBack(trx: ControlledTransaction<DB, string[]>): Promise<void> {
    try {
      await trx.rollback().execute();
    } finally {
      await this.#attempt.failed(undefined);
    }
  }

  async #savepoint(trx: ControlledTransaction<DB, string[]>, name: string) {
    const next = await trx.savepoint(name as never).execute();
    this.#savepoints = [...this.#savepoints, { name, mark: this.#attempt.changes.mark() }];
    return this.collecting(next);
  }

  async #rollBackTo(trx: ControlledTransaction<DB, string[]>, name: string) {
    const until = this.#attempt.changes.mark();
    const next = await trx.rollbackToSavepoint(name).execute();
    const at = this.#savepoints.findLastIndex((it) => it.name === name);
    this.#attempt.changes.forget(this.#savepoints[at]?.mark ?? until, until);
    this.#savepoints = this.#savepoints.slice(0, at + 1);
    return this.collecting(next);
  }

  async #release(trx: ControlledTransaction<DB, string[]>, name: string) {
    const next = await trx.releaseSavepoint(name).execute();
    const at = this.#savepoints.findLastIndex((it) => it.name === name);
    this.#savepoints = this.#savepoints.slice(0, at);
    return this.collecting(next);
  }
}
