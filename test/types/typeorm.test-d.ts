import { key, type Receipt, tag } from 'tidemark';
import { createTouches, type DriverTransactions } from 'tidemark/postgres';
import { withInvalidation } from 'tidemark/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { describe, expectTypeOf, it } from 'vitest';

declare const dataSource: DataSource;
declare const transactions: DriverTransactions;

interface User {
  id: number;
  orgId: number;
}

const touches = createTouches<{ User: User }>({ User: (it) => [key('user', it.id), tag(`org:${it.orgId}`)] });

describe('withInvalidation of TypeORM', () => {
  const db = withInvalidation(dataSource, transactions, { touches, blind: { User: () => tag('users') } });

  it('is a data source', () => {
    expectTypeOf(db).toExtend<DataSource>();
    withInvalidation(dataSource, transactions);
    // @ts-expect-error -- there is no such entity
    withInvalidation(dataSource, transactions, { touches, blind: { Usr: () => tag('users') } });
  });

  it('answers what the work returns, with the receipt or without it', () => {
    expectTypeOf(db.transaction(async () => 1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(db.transaction('SERIALIZABLE', async () => 1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(db.transactionWithReceipt({ retries: 1 }, async () => 1)).resolves.toEqualTypeOf<{
      readonly value: number;
      readonly receipt: Receipt | undefined;
    }>();
  });

  it('collects in a transaction and those within it, and only targets', () => {
    void db.transaction(async (manager) => {
      expectTypeOf(manager).toExtend<EntityManager>();
      manager.invalidate(key('user', 1), key('user', 2));
      // @ts-expect-error -- a text is no target
      manager.invalidate('user:1');
      expectTypeOf(
        manager.transaction(async (inner) => inner.invalidate([key('user', 3)])),
      ).resolves.toEqualTypeOf<void>();
    });
    // @ts-expect-error -- outside there is nothing to collect for
    void db.invalidate;
  });
});
