import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { key, type Receipt } from 'tidemark';
import { withInvalidation } from 'tidemark/drizzle';
import type { DriverTransactions } from 'tidemark/postgres';
import { describe, expectTypeOf, it } from 'vitest';

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() });

declare const overPg: NodePgDatabase<{ users: typeof users }>;
declare const overPostgresJs: PostgresJsDatabase;
declare const transactions: DriverTransactions;

interface User {
  id: number;
  name: string;
}

describe('withInvalidation of Drizzle', () => {
  const db = withInvalidation(overPg, transactions);

  it('is a database of the same driver and schema', () => {
    expectTypeOf(db).toExtend<typeof overPg>();
    expectTypeOf(db.select().from(users)).resolves.toEqualTypeOf<User[]>();
    expectTypeOf(withInvalidation(overPostgresJs, transactions)).toExtend<PostgresJsDatabase>();
  });

  it('answers what the work returns, with the receipt or without it', () => {
    expectTypeOf(
      db.transaction(async (tx) => tx.query.users.findFirst(), { isolationLevel: 'serializable', retries: 1 }),
    ).resolves.toEqualTypeOf<User | undefined>();
    expectTypeOf(db.transactionWithReceipt(async () => 1)).resolves.toEqualTypeOf<{
      readonly value: number;
      readonly receipt: Receipt | undefined;
    }>();
    // @ts-expect-error -- Drizzle calls it isolationLevel
    void db.transaction(async () => 1, { isolation: 'serializable' });
  });

  it('collects in a transaction and those within it, and only targets', () => {
    void db.transaction(async (tx) => {
      tx.invalidate(key('user', 1), key('user', 2));
      // @ts-expect-error -- a text is no target
      tx.invalidate('user:1');
      expectTypeOf(
        tx.transaction(async (inner) => {
          inner.invalidate([key('user', 3)]);
          return inner.select().from(users);
        }),
      ).resolves.toEqualTypeOf<User[]>();
    });
    // @ts-expect-error -- outside there is nothing to collect for
    void db.invalidate;
  });
});
