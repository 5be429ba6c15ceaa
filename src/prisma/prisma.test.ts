import { waitUntil } from '../testing/wait-until.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { openPrisma, type PrismaClient } from '../../test/servers/prisma.ts';
import { key, tag } from '../coherence/target.ts';
import { type Row, type Target, Transactions } from '../postgres/transaction.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import { type DataLayerTransaction, outbox, prepareDatabase, rows, Witness } from '../testing/data-layer-subject.ts';
import { type PrismaIsolationLevel, withInvalidation } from './extension.ts';

let database: ContractDatabase;
let client: PrismaClient;
beforeAll(async () => {
  database = await startContractDatabase();
  client = openPrisma(database.url);
}, 60_000);
afterAll(async () => {
  await client.$disconnect();
  await database.stop();
});

/** A transaction of the client, as far as the contract uses it. */
interface ContractClient {
  $queryRawUnsafe<T>(text: string): Promise<T>;
  $invalidate(...targets: readonly Target[]): void;
  $transaction<T>(work: (tx: ContractClient) => Promise<T>): Promise<T>;
}

function wrap(tx: ContractClient): DataLayerTransaction {
  return {
    run: (text) => tx.$queryRawUnsafe<Row[]>(text),
    invalidate: (...targets) => tx.$invalidate(...targets),
    nested: (work) => tx.$transaction((inner) => work(wrap(inner))),
  };
}

const LEVELS: Readonly<Record<string, PrismaIsolationLevel>> = {
  'read committed': 'ReadCommitted',
  'repeatable read': 'RepeatableRead',
  serializable: 'Serializable',
};

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'Prisma',
    open: () => ({
      ...database,
      transaction: (transactions, work, { isolation, ...options } = {}) =>
        client
          .$extends(withInvalidation(transactions))
          .$transactionWithReceipt((tx) => work(wrap(tx as unknown as ContractClient)), {
            ...options,
            ...(isolation && { isolationLevel: LEVELS[isolation] ?? (isolation as PrismaIsolationLevel) }),
          }),
    }),
  },
);

describe('withInvalidation of Prisma', () => {
  const subject = { ask: (text: string) => database.ask(text) };
  let witness: Witness;
  let transactions: Transactions;
  beforeEach(async () => {
    await prepareDatabase(subject);
    witness = new Witness(subject);
    transactions = new Transactions(witness);
  });
  afterEach(() => witness.cache.close());

  it('invalidates what an interactive transaction collects, savepoints included', async () => {
    const prisma = client.$extends(withInvalidation(transactions));
    const row = await prisma.$transaction(
      async (tx) => {
        const row = await tx.row.create({ data: { id: 1, value: 0 } });
        tx.$invalidate(key('row', row.id));
        const lost = tx.$transaction(async (inner) => {
          await inner.row.update({ where: { id: 1 }, data: { value: 7 } });
          inner.$invalidate(tag('lost'));
          throw new Error('no');
        });
        await expect(lost).rejects.toThrow('no');
        return row;
      },
      { isolationLevel: 'ReadUncommitted', maxWait: 1_000, timeout: 2_000, cause: { event: 'row.added' } },
    );
    expect(row).toEqual({ id: 1, value: 0, checked: null });
    expect(witness.heard).toMatchObject([{ targets: ['key row:1'], seen: [{ id: 1, value: 0 }] }]);
    expect(await outbox(subject)).toMatchObject([{ cause: { event: 'row.added' } }]);
  });

  it('has the extensions that were made before it and after it', async () => {
    const seen: string[] = [];
    const telling = (name: string) => ({
      query: {
        row: {
          async create<A, R>({ args, query }: { args: A; query: (args: A) => Promise<R> }): Promise<R> {
            seen.push(name);
            return query(args);
          },
        },
      },
    });
    const prisma = client
      .$extends(telling('before'))
      .$extends(withInvalidation(transactions))
      .$extends(telling('after'));
    await prisma.$transaction(async (tx) => {
      await tx.row.create({ data: { id: 1, value: 0 } });
      tx.$invalidate(key('row', 1));
    });
    expect(seen.toSorted()).toEqual(['after', 'before']);
    expect(witness.targets).toEqual([['key row:1']]);
  });

  it('takes one connection at a time', async () => {
    const one = openPrisma(database.url, 1);
    try {
      await one
        .$extends(withInvalidation(new Transactions(witness, { replicas: true })))
        .$transaction(async (tx) => tx.$invalidate(key('row', 1)));
      expect(witness.heard).toMatchObject([{ lsn: expect.any(BigInt) }]);
    } finally {
      await one.$disconnect();
    }
  });

  it('leaves the form with a list as it is', async () => {
    const prisma = client.$extends(withInvalidation(transactions));
    const [row, count] = await prisma.$transaction(
      [prisma.row.create({ data: { id: 1, value: 0 } }), prisma.row.count()],
      { isolationLevel: 'Serializable' },
    );
    expect([row.id, count]).toEqual([1, 1]);
    expect(witness.heard).toEqual([]);
  });

  it('says nothing where Prisma has ended the transaction because it took too long', async () => {
    const prisma = client.$extends(withInvalidation(transactions));
    const late = prisma.$transaction(
      async (tx) => {
        await tx.row.create({ data: { id: 1, value: 0 } });
        tx.$invalidate(key('row', 1));
        // Until Prisma takes nothing more in it.
        await waitUntil(() =>
          tx.row.count().then(
            () => false,
            () => true,
          ),
        );
      },
      { timeout: 50 },
    );
    await expect(late).rejects.toMatchObject({ code: 'P2028' });
    expect([witness.heard, await rows(subject), await outbox(subject)]).toEqual([[], [], []]);
  });

  it('reads the SQLSTATE of a query of Prisma, too: a write conflict is retried', async () => {
    await subject.ask('INSERT INTO contract_rows VALUES (1, 0)');
    const prisma = client.$extends(withInvalidation(transactions));
    let attempts = 0;
    await prisma.$transaction(
      async (tx) => {
        await tx.row.findMany();
        if (++attempts === 1) await subject.ask('UPDATE contract_rows SET value = 10');
        await tx.row.update({ where: { id: 1 }, data: { value: { increment: 1 } } });
        tx.$invalidate(tag(`attempt:${attempts}`));
      },
      { isolationLevel: 'RepeatableRead', retries: 1 },
    );
    expect(witness.heard).toMatchObject([{ targets: ['tag attempt:2'], seen: [{ id: 1, value: 11 }] }]);
  });

  it('collects only in a transaction, and does not run a savepoint again', async () => {
    const prisma = client.$extends(withInvalidation(transactions));
    expect(() => prisma.$invalidate(tag('rows'))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    const nested = prisma.$transaction((tx) => tx.$transaction(async () => {}, { retries: 1 }));
    await expect(nested).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
