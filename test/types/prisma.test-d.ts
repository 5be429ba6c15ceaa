import { key, type Receipt } from 'tidemark';
import type { DriverTransactions } from 'tidemark/postgres';
import { withInvalidation } from 'tidemark/prisma';
import { describe, expectTypeOf, it } from 'vitest';
import type { PrismaClient } from './prisma/client/client.ts';

declare const client: PrismaClient;
declare const transactions: DriverTransactions;

interface Row {
  id: number;
  value: number;
  checked: number | null;
}

describe('withInvalidation of Prisma', () => {
  const prisma = client.$extends(withInvalidation(transactions));

  it('keeps the models, and extensions before and after it', () => {
    expectTypeOf(prisma.row.findMany()).resolves.toEqualTypeOf<Row[]>();
    const more = client
      .$extends({ client: { $before: (): number => 1 } })
      .$extends(withInvalidation(transactions))
      .$extends({ client: { $after: (): number => 2 } });
    expectTypeOf(more.$before()).toEqualTypeOf<number>();
    void more.$transaction(async (tx) => {
      tx.$invalidate(key('row', tx.$before() + tx.$after()));
      expectTypeOf(tx.row.findFirst()).resolves.toEqualTypeOf<Row | null>();
    });
  });

  it('answers what the work returns, with the receipt or without it', () => {
    const options = { isolationLevel: 'Serializable', timeout: 1_000, retries: 1, strict: true } as const;
    expectTypeOf(
      prisma.$transaction(async (tx) => tx.row.create({ data: { id: 1, value: 0 } }), options),
    ).resolves.toEqualTypeOf<Row>();
    expectTypeOf(prisma.$transactionWithReceipt(async (tx) => tx.row.count())).resolves.toEqualTypeOf<{
      readonly value: number;
      readonly receipt: Receipt | undefined;
    }>();
    // @ts-expect-error -- Prisma calls it isolationLevel
    void prisma.$transaction(async () => 1, { isolation: 'serializable' });
  });

  it('collects in a transaction and those within it, and only targets', () => {
    void prisma.$transaction(async (tx) => {
      tx.$invalidate(key('row', 1), key('row', 2));
      // @ts-expect-error -- a text is no target
      tx.$invalidate('row:1');
      // @ts-expect-error -- as Prisma has it, a transaction cannot be extended
      void tx.$extends;
      expectTypeOf(
        tx.$transaction(async (inner) => {
          inner.$invalidate([key('row', 3)]);
          return inner.row.findMany();
        }),
      ).resolves.toEqualTypeOf<Row[]>();
    });
  });

  it('keeps the form with a list', () => {
    expectTypeOf(
      prisma.$transaction([prisma.row.findMany(), prisma.row.count()], { isolationLevel: 'Serializable' }),
    ).resolves.toEqualTypeOf<[Row[], number]>();
  });
});
