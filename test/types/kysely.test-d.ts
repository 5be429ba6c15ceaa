import type { ControlledTransaction, Kysely, Transaction } from 'kysely';
import { key, type Receipt } from 'tidemark';
import { type InvalidatingKysely, withInvalidation } from 'tidemark/kysely';
import type { DriverTransactions } from 'tidemark/postgres';
import { describe, expectTypeOf, it } from 'vitest';

interface Tables {
  users: { id: number; name: string };
}

declare const native: Kysely<Tables>;
declare const transactions: DriverTransactions;

describe('withInvalidation of Kysely', () => {
  const db = withInvalidation(native, transactions);

  it('is a Kysely, of the same tables', () => {
    expectTypeOf(db).toEqualTypeOf<InvalidatingKysely<Tables>>();
    expectTypeOf(db).toExtend<Kysely<Tables>>();
    expectTypeOf(db.withSchema('shop')).toEqualTypeOf<InvalidatingKysely<Tables>>();
    expectTypeOf(db.selectFrom('users').select('name').executeTakeFirst()).resolves.toEqualTypeOf<
      { name: string } | undefined
    >();
    // @ts-expect-error -- there is no such table
    db.selectFrom('user');
  });

  it('answers what the work returns, with the receipt or without it', () => {
    const builder = db.transaction({ retries: 1, strict: true }).setIsolationLevel('serializable');
    const work = async (trx: Transaction<Tables>) => trx.selectFrom('users').select('id').execute();
    expectTypeOf(builder.execute(work)).resolves.toEqualTypeOf<{ id: number }[]>();
    expectTypeOf(builder.executeWithReceipt(work)).resolves.toEqualTypeOf<{
      readonly value: { id: number }[];
      readonly receipt: Receipt | undefined;
    }>();
  });

  it('collects in a transaction and its savepoints, and only targets', () => {
    void db.transaction().execute(async (trx) => {
      expectTypeOf(trx).toExtend<Transaction<Tables>>();
      trx.invalidate(key('user', 1), key('user', 2));
      trx.invalidate([key('user', 1)]);
      // @ts-expect-error -- a text is no target
      trx.invalidate('user:1');
      expectTypeOf(trx.savepoint(async (inner) => inner.invalidate(key('user', 3)))).resolves.toEqualTypeOf<void>();
    });
    // @ts-expect-error -- outside there is nothing to collect for
    void db.invalidate;
  });

  it('knows the savepoints of a controlled transaction', async () => {
    const trx = await db.startTransaction().execute();
    expectTypeOf(trx).toExtend<ControlledTransaction<Tables>>();
    const two = await (await trx.savepoint('one').execute()).savepoint('two').execute();
    two.invalidate(key('user', 1));
    const one = await two.rollbackToSavepoint('one').execute();
    // @ts-expect-error -- it went with the rollback
    void one.rollbackToSavepoint('two');
    const none = await one.releaseSavepoint('one').execute();
    // @ts-expect-error -- it was released
    void none.rollbackToSavepoint('one');
    expectTypeOf(none.commit().execute()).resolves.toEqualTypeOf<Receipt | undefined>();
    // @ts-expect-error -- nobody else could run it again
    db.startTransaction({ retries: 1 });
  });
});
