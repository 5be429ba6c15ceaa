import type { Types } from '@prisma/client/runtime/client';
import {
  type Changes,
  type Collecting,
  type Committed,
  checkKnown,
  type Isolation,
  TidemarkError,
  type TransactionOptions,
  type Transactions,
} from '../postgres/transaction.ts';
import { layerOf, type NativeTransaction, type RawClient } from './layer.ts';

/** As Prisma names them. */
export type PrismaIsolationLevel = 'ReadUncommitted' | 'ReadCommitted' | 'RepeatableRead' | 'Serializable';

/** As of Prisma, with what is ours. */
export interface PrismaTransactionOptions extends Omit<TransactionOptions, 'isolation'> {
  readonly maxWait?: number;
  readonly timeout?: number;
  readonly isolationLevel?: PrismaIsolationLevel;
}

/** What a transaction's work is given: the client with all its extensions. */
export type PrismaTransactionClient<C> = Omit<C, '$connect' | '$disconnect' | '$on' | '$use' | '$extends'>;

/** `$transaction`, with both of Prisma's forms. */
export interface PrismaTransaction {
  /** As of Prisma. It gives nobody the opportunity to collect, so it invalidates nothing. */
  <P extends Types.Public.PrismaPromise<unknown>[]>(
    batch: [...P],
    options?: { readonly isolationLevel?: PrismaIsolationLevel },
  ): Promise<{ [K in keyof P]: Awaited<P[K]> }>;
  /**
   * As of Prisma. What is collected by `tx.$invalidate(...)` is invalidated once it has committed. Within another it is a
   * savepoint: what is collected in it is dropped where it is rolled back.
   */
  <C, R>(this: C, work: (tx: PrismaTransactionClient<C>) => Promise<R>, options?: PrismaTransactionOptions): Promise<R>;
}

/** As `$transaction` of a function, with the receipt: its token lets other services read this write. */
export type PrismaTransactionWithReceipt = <C, R>(
  this: C,
  work: (tx: PrismaTransactionClient<C>) => Promise<R>,
  options?: PrismaTransactionOptions,
) => Promise<Committed<R>>;

/** The extension, as `$extends` takes it. */
export interface PrismaInvalidation {
  (
    client: unknown,
  ): {
    $extends: {
      extArgs: {
        result: {};
        model: {};
        query: {};
        client: {
          $transaction: () => PrismaTransaction;
          $transactionWithReceipt: () => PrismaTransactionWithReceipt;
          /** Only inside a transaction, on its `tx`: outside there is nothing to wait for, and `cache.invalidate` does it. */
          $invalidate: () => Collecting['invalidate'];
        };
      };
    };
  };
}

/** What is needed of the client that is extended. */
interface Extendable {
  readonly $transaction: NativeTransaction;
  $extends(extension: object): unknown;
}

type Work = (tx: RawClient) => Promise<unknown>;

const LEVELS: Readonly<Record<PrismaIsolationLevel, Isolation>> = {
  // Postgres has no dirty reads: it takes the weakest level for the one above.
  ReadUncommitted: 'read committed',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
};

/**
 * An extension of Prisma's client: its interactive transactions invalidate what they have made stale, once they have committed.
 *
 * @param transactions from `createTransactions(cache)` of `tidemark/postgres`
 * @throws where a transaction ends, as `Transactions.run`
 * @example
 * const prisma = new PrismaClient({ adapter }).$extends(withInvalidation(createTransactions(cache)));
 * await prisma.$transaction(async (tx) => {
 *   await tx.user.update({ where: { id }, data: { name } });
 *   tx.$invalidate(users.at(id));
 * });
 */
export function withInvalidation(transactions: Transactions): PrismaInvalidation {
  /** Of each client inside a transaction, what is collected there. */
  const collected = new WeakMap<object, Changes>();

  const extend = (client: Extendable): unknown => {
    // It works on the client that it is called on, and so do, within, extensions that are made after this one.
    const native = client.$transaction;

    async function run(
      self: RawClient,
      work: Work,
      options: PrismaTransactionOptions = {},
    ): Promise<Committed<unknown>> {
      const outer = collected.get(self);
      if (outer !== undefined) return { value: await nest(self, outer, work, options), receipt: undefined };
      const { maxWait, timeout, isolationLevel, ...ours } = options;
      const limits = { ...(maxWait !== undefined && { maxWait }), ...(timeout !== undefined && { timeout }) };
      return transactions.run(layerOf(self, native, limits), (tx, changes) => collecting(tx, changes, work), {
        ...ours,
        ...(isolationLevel !== undefined && { isolation: LEVELS[isolationLevel] ?? isolationLevel }),
      });
    }

    function nest(self: RawClient, outer: Changes, work: Work, options: PrismaTransactionOptions): Promise<unknown> {
      checkKnown(options, ['maxWait', 'timeout', 'isolationLevel'], '$transaction() within another');
      return outer.nested((inner) => native.call(self, (tx) => collecting(tx, inner, work), options));
    }

    return client.$extends({
      name: 'tidemark',
      client: {
        async $transaction(this: RawClient, work: Work | unknown[], options?: PrismaTransactionOptions) {
          if (typeof work !== 'function') return native.call(this, work as never, options);
          return (await run(this, work, options)).value;
        },
        $transactionWithReceipt(this: RawClient, work: Work, options?: PrismaTransactionOptions) {
          return run(this, work, options);
        },
        $invalidate(this: RawClient, ...targets: never[]) {
          const changes = collected.get(this);
          if (changes !== undefined) return changes.invalidate(...targets);
          throw new TidemarkError(
            'CLOSED',
            '$invalidate: this client is in no transaction. Call it on the tx of $transaction(async (tx) => ...), or call cache.invalidate(...).',
          );
        },
      },
    });
  };

  function collecting(tx: RawClient, changes: Changes, work: Work): Promise<unknown> {
    collected.set(tx, changes);
    return work(tx);
  }

  return extend as unknown as PrismaInvalidation;
}
