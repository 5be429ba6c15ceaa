import { randomBytes } from 'node:crypto';
import { checkKnown } from '../coherence/known-options.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Changes } from './changes.ts';
import type { DataLayer } from './data-layer.ts';
import type { Invalidator } from './invalidator.ts';
import { isTransient, sqlState } from './sql-state.ts';
import { type AttemptSettings, TransactionAttempt } from './transaction-attempt.ts';
import {
  checkTransactionOptions,
  type TransactionOptions,
  type TransactionsOptions,
  transactionsOptions,
} from './transaction-options.ts';

// The port of data layers: what they are, and what they are given.
export { shorten, TidemarkError } from '../coherence/errors.ts';
export { checkKnown } from '../coherence/known-options.ts';
export type { Target } from '../coherence/target.ts';
export type { Statement } from './carrier.ts';
export type { Changes, Collecting } from './changes.ts';
export type { DataLayer, Isolation, Row } from './data-layer.ts';
export type { Announced, Invalidator } from './invalidator.ts';
export { overlay } from './overlay.ts';
export { savepointsOf } from './savepoint.ts';
export type { Touches } from './touches.ts';
export type { TransactionAttempt } from './transaction-attempt.ts';
export type { TransactionOptions, TransactionsOptions } from './transaction-options.ts';

/** What a transaction came to. */
export interface Committed<T> {
  readonly value: T;
  /** Of the record; `undefined` where nothing was collected. */
  readonly receipt: Receipt | undefined;
}

/**
 * Transactions whose targets are invalidated after the commit, and only then: collected while the transaction runs, written
 * down in it, and appended to the log right after it. The idea of the written copy is the transactional outbox.
 *
 * @see createTransactions
 */
export class Transactions {
  readonly #settings: AttemptSettings;
  readonly #bypass: boolean;

  /** Use {@link createTransactions}. */
  constructor(cache: Invalidator, options: TransactionsOptions = {}) {
    const { replicas, bypass, ...carrier } = transactionsOptions(cache, options);
    this.#settings = { cache, carrier, replicas, origin: `transaction#${randomBytes(4).toString('hex')}` };
    this.#bypass = bypass && cache.bypass !== undefined;
  }

  /**
   * Runs `body` in a transaction of a data layer. When it returns, the transaction has committed and this process's cache serves
   * nothing older, whatever has become of the log.
   *
   * @param body what the transaction does; rejects to roll back
   * @throws what `body` throws, what the layer throws; TidemarkError `NOT_COMMITTED` where a statement had failed and `body` did
   * not mind, `NOT_CONFIRMED` where a strict transaction was rolled back because not every node had confirmed in time,
   * `INVALID_OPTION`; `CLOSED`, though it has committed, where the cache was closed meanwhile
   */
  async run<N, T>(
    layer: DataLayer<N>,
    body: (native: N, changes: Changes) => T | Promise<T>,
    options: TransactionOptions = {},
  ): Promise<Committed<T>> {
    checkTransactionOptions(options, this.#settings.cache);
    const { isolation, retries = 0 } = options;
    for (let failures = 0; ; failures++) {
      const attempt = new TransactionAttempt(this.#settings, options);
      let value: T;
      try {
        value = await layer.begin((native) => this.#work(layer, native, body, attempt), { isolation });
      } catch (error) {
        const state = layer.sqlState === undefined ? sqlState(error) : layer.sqlState(error);
        await attempt.failed(error, state);
        if (isTransient(state) && failures < retries) continue;
        throw error;
      }
      return { value, receipt: await attempt.committed((statement) => layer.outside(statement)) };
    }
  }

  /**
   * For layers whose transactions begin and end by calls of their own: the caller says when. Reads of the cache in between are not
   * kept from it; wrap them in `cache.bypass(...)`.
   *
   * @param options its isolation level is the caller's to set
   * @throws TidemarkError `INVALID_OPTION`
   */
  attempt(options: Omit<TransactionOptions, 'retries'> = {}): TransactionAttempt {
    checkKnown(options, ['cause', 'isolation', 'strict'], 'a transaction that its user ends');
    checkTransactionOptions(options, this.#settings.cache);
    return new TransactionAttempt(this.#settings, options);
  }

  async #work<N, T>(
    layer: DataLayer<N>,
    native: N,
    body: (native: N, changes: Changes) => T | Promise<T>,
    attempt: TransactionAttempt,
  ): Promise<T> {
    const call = (): T | Promise<T> => body(native, attempt.changes);
    try {
      const value = await (this.#bypass ? (this.#settings.cache as Required<Invalidator>).bypass(call) : call());
      await attempt.prepare((statement) => layer.query(native, statement), layer);
      return value;
    } finally {
      attempt.close();
    }
  }
}
