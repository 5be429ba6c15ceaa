import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import {
  type Collecting,
  type Committed,
  type DataLayer,
  type Isolation,
  overlay,
  TidemarkError,
  type TransactionOptions,
  type Transactions,
} from '../postgres/transaction.ts';
import { EntityTargets, type TypeormInvalidationOptions } from './entity-targets.ts';
import { InvalidationSubscriber } from './subscriber.ts';

/** As TypeORM names the levels of Postgres, or all options of ours. */
export type TypeormTransactionOptions = Uppercase<Isolation> | TransactionOptions;

/** The manager of a transaction, which also collects. */
export type InvalidatingManager = Collecting & {
  /** As of TypeORM, a savepoint: what is collected in it is dropped where it is rolled back. */
  transaction<T>(work: (manager: InvalidatingManager) => Promise<T>): Promise<T>;
} & EntityManager;

type Work<T> = (manager: InvalidatingManager) => Promise<T>;

/** A data source whose transactions also collect. It may be given wherever the data source may. */
export type InvalidatingDataSource = {
  /** As of TypeORM. What is collected is invalidated once it has committed. */
  transaction<T>(work: Work<T>): Promise<T>;
  transaction<T>(options: TypeormTransactionOptions, work: Work<T>): Promise<T>;
  /** As `transaction`, with the receipt: its token lets other services read this write. */
  transactionWithReceipt<T>(work: Work<T>): Promise<Committed<T>>;
  transactionWithReceipt<T>(options: TypeormTransactionOptions, work: Work<T>): Promise<Committed<T>>;
} & DataSource;

/**
 * A data source whose transactions invalidate what they have made stale, once they have committed. It has a subscriber from then on:
 * what entities touch is collected in every transaction, also in those that TypeORM begins for `save()` and `remove()`. In those of
 * the returned object's `transaction`, the manager collects other targets besides.
 *
 * @param dataSource of Postgres, initialized
 * @param transactions from `createTransactions(cache)` of `tidemark/postgres`
 * @throws TidemarkError `INVALID_OPTION`; where a transaction ends, as `Transactions.run`
 * @example
 * const touches = createTouches<{ User: User }>({ User: (it) => [users.at(it.id), tag(`org:${it.orgId}`)] });
 * const db = withInvalidation(await dataSource.initialize(), createTransactions(cache), { touches });
 * await db.transaction(async (manager) => {
 *   await manager.save(user);
 *   manager.invalidate(tag('newest'));
 * });
 */
export function withInvalidation<E = Record<string, never>>(
  dataSource: DataSource,
  transactions: Transactions,
  options: TypeormInvalidationOptions<E> = {},
): InvalidatingDataSource {
  const subscriber = new InvalidationSubscriber(transactions, new EntityTargets<E>(options));
  subscribe(dataSource, subscriber);
  const transactionWithReceipt = <T>(
    first: TypeormTransactionOptions | Work<T>,
    second?: Work<T>,
  ): Promise<Committed<T>> => {
    const [given, work] = typeof first === 'function' ? [{}, first] : [first, second as Work<T>];
    return transactions.run(
      layerOf(dataSource, subscriber),
      (runner, changes) => {
        subscriber.collectIn(runner, changes);
        // The manager is this runner's, and the same in its savepoints.
        const collecting = { invalidate: (...targets: never[]) => changes.invalidate(...targets) };
        return work(Object.assign(runner.manager, collecting) as unknown as InvalidatingManager);
      },
      typeof given === 'string' ? { isolation: given.toLowerCase() as Isolation } : given,
    );
  };
  return overlay(dataSource, {
    transactionWithReceipt,
    transaction: async <T>(first: TypeormTransactionOptions | Work<T>, second?: Work<T>): Promise<T> =>
      (await transactionWithReceipt(first, second)).value,
  });
}

function subscribe({ isInitialized, subscribers }: DataSource, subscriber: InvalidationSubscriber): void {
  if (!isInitialized)
    throw new TidemarkError(
      'INVALID_OPTION',
      'withInvalidation: the data source is not initialized, and would forget its subscriber then. Give it after await dataSource.initialize().',
    );
  if (subscribers.some((it) => it instanceof InvalidationSubscriber))
    throw new TidemarkError(
      'INVALID_OPTION',
      'withInvalidation: this data source has it already. Call it once, and use what it returns.',
    );
  subscribers.push(subscriber);
}

function layerOf(dataSource: DataSource, subscriber: InvalidationSubscriber): DataLayer<QueryRunner> {
  return {
    async begin(work, { isolation }) {
      const runner = dataSource.createQueryRunner();
      subscriber.own(runner);
      try {
        return isolation === undefined
          ? await runner.manager.transaction(() => work(runner))
          : await runner.manager.transaction(isolation.toUpperCase() as Uppercase<Isolation>, () => work(runner));
      } finally {
        await runner.release();
      }
    },
    query: (runner, { text, values }) => runner.query(text, [...values]),
    outside: ({ text, values }) => dataSource.query(text, [...values]),
  };
}
