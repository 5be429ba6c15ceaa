import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { key, tag } from '../coherence/target.ts';
import { type Row, Transactions } from '../postgres/transaction.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import { type DataLayerTransaction, outbox, prepareDatabase, rows, Witness } from '../testing/data-layer-subject.ts';
import { withInvalidation } from './database.ts';
import type { InvalidatingTransaction } from './transaction-builder.ts';

interface Tables {
  contract_rows: { id: number; value: number; checked?: number | null };
}

let database: ContractDatabase;
beforeAll(async () => {
  database = await startContractDatabase();
}, 60_000);
afterAll(() => database.stop());

function open(max = 10): Kysely<Tables> {
  const pool = new pg.Pool({ connectionString: database.url, max });
  // Kysely does not listen to a client that is in use: one whose connection is lost would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

function wrap(trx: InvalidatingTransaction<Tables>): DataLayerTransaction {
  return {
    run: async (text) => (await sql.raw<Row>(text).execute(trx)).rows,
    invalidate: (...targets) => trx.invalidate(...targets),
    nested: (work) => trx.savepoint((inner) => work(wrap(inner))),
  };
}

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'Kysely',
    open: () => {
      const db = open();
      return {
        ...database,
        db,
        transaction: (transactions, work, options) =>
          withInvalidation(db, transactions)
            .transaction(options)
            .executeWithReceipt((trx) => work(wrap(trx))),
      };
    },
    close: ({ db }) => db.destroy(),
  },
);

describe('withInvalidation of Kysely', () => {
  const subject = { ask: (text: string) => database.ask(text) };
  let native: Kysely<Tables>;
  let witness: Witness;
  let transactions: Transactions;
  beforeEach(async () => {
    await prepareDatabase(subject);
    native = open(1);
    witness = new Witness(subject);
    transactions = new Transactions(witness);
  });
  afterEach(async () => {
    await witness.cache.close();
    await native.destroy();
  });
  const row = (id: number) => ({ id, value: 0 });

  it('leaves the Kysely as it is, and is one itself', async () => {
    const db = withInvalidation(native, transactions);
    const count = (any: Kysely<Tables>) => any.selectFrom('contract_rows').select('id').execute();
    expect(await count(db)).toEqual([]);
    expect(db.isTransaction).toBe(false);
    expect(await native.transaction().execute(async (trx) => 'invalidate' in trx)).toBe(false);
  });

  it('gives a transaction that is one of Kysely, at the level and access that are set', async () => {
    const db = withInvalidation(native, transactions).withSchema('public').withPlugin(new CamelCasePlugin());
    const seen = await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read write')
      .execute(async (trx) => {
        await trx.insertInto('contract_rows').values(row(1)).execute();
        trx.invalidate(key('row', 1));
        const { rows } = await sql<Row>`SELECT current_setting('transaction_isolation') AS the_level`.execute(trx);
        return [trx.isTransaction, rows[0]];
      });
    expect(seen).toEqual([true, { theLevel: 'repeatable read' }]);
    expect(witness.heard).toMatchObject([{ targets: ['key row:1'], seen: [row(1)] }]);
  });

  it('does not commit a transaction that may not write down what it collects', async () => {
    const db = withInvalidation(native, transactions);
    const readOnly = db
      .transaction()
      .setAccessMode('read only')
      .execute(async (trx) => trx.invalidate(tag('rows')));
    await expect(readOnly).rejects.toThrow(/read-only/);
    expect(witness.heard).toEqual([]);
  });

  describe('a controlled transaction', () => {
    it('invalidates once it has committed, with a pool of one', async () => {
      const db = withInvalidation(native, new Transactions(witness, { replicas: true }));
      const trx = await db.startTransaction({ isolation: 'serializable', cause: { event: 'row.added' } }).execute();
      await trx.insertInto('contract_rows').values(row(1)).execute();
      trx.invalidate(key('row', 1));
      expect(witness.heard).toEqual([]);
      const receipt = await trx.commit().execute();
      expect(receipt?.status).toBe('applied');
      expect(trx.isCommitted).toBe(true);
      expect(witness.heard).toMatchObject([{ targets: ['key row:1'], seen: [row(1)], lsn: expect.any(BigInt) }]);
      expect(await outbox(subject)).toMatchObject([{ id: witness.heard[0]?.id, cause: { event: 'row.added' } }]);
      expect(() => trx.invalidate(tag('late'))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    });

    it('invalidates nothing once it is rolled back', async () => {
      const trx = await withInvalidation(native, transactions).startTransaction().execute();
      await trx.insertInto('contract_rows').values(row(1)).execute();
      trx.invalidate(key('row', 1));
      await trx.rollback().execute();
      expect(() => trx.invalidate(tag('late'))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
      expect([witness.heard, await rows(subject), await outbox(subject)]).toEqual([[], [], []]);
    });

    it('drops what was collected since a savepoint that it is rolled back to', async () => {
      const trx = await withInvalidation(native, transactions).startTransaction().execute();
      trx.invalidate(tag('1'));
      const one = await trx.savepoint('one').execute();
      one.invalidate(tag('2'));
      const two = await one.savepoint('two').execute();
      two.invalidate(tag('3'));
      trx.invalidate(tag('3 too'));
      const backInTwo = await two.rollbackToSavepoint('two').execute();
      backInTwo.invalidate(tag('4'));
      const backInOne = await backInTwo.rollbackToSavepoint('one').execute();
      backInOne.invalidate(tag('5'));
      await backInOne.rollbackToSavepoint('one').execute();
      backInOne.invalidate(tag('6'));
      const released = await backInOne.releaseSavepoint('one').execute();
      released.invalidate(tag('7'));
      await released.commit().execute();
      expect(witness.targets).toEqual([['tag 1', 'tag 6', 'tag 7']]);
    });

    it('keeps what was collected for a statement before the savepoint', async () => {
      const trx = await withInvalidation(native, transactions).startTransaction().execute();
      const before = trx.insertInto('contract_rows').values(row(1)).execute();
      const savepoint = trx.savepoint('one').execute();
      await before;
      trx.invalidate(key('row', 1));
      const back = (await savepoint).rollbackToSavepoint('one').execute();
      trx.invalidate(tag('after'));
      await back;
      await trx.commit().execute();
      expect(witness.targets).toEqual([['key row:1', 'tag after']]);
    });

    it('that fails at its COMMIT is not invalidated, and can be rolled back as ever', async () => {
      const trx = await withInvalidation(native, transactions).startTransaction().execute();
      await trx
        .insertInto('contract_rows')
        .values([
          { ...row(1), checked: 1 },
          { ...row(2), checked: 1 },
        ])
        .execute();
      trx.invalidate(key('row', 1));
      await expect(trx.commit().execute()).rejects.toMatchObject({ code: '23505' });
      await trx.rollback().execute();
      expect([witness.heard, await rows(subject), await outbox(subject)]).toEqual([[], [], []]);
    });

    it('in which a statement has failed is not committed', async () => {
      const trx = await withInvalidation(native, new Transactions(witness, { carrier: 'none' }))
        .startTransaction()
        .execute();
      trx.invalidate(key('row', 1));
      await expect(sql`SELECT 1 / 0`.execute(trx)).rejects.toMatchObject({ code: '22012' });
      await expect(trx.commit().execute()).rejects.toMatchObject({ code: 'NOT_COMMITTED' });
      await trx.rollback().execute();
      expect(witness.heard).toEqual([]);
    });

    it('invalidates where the answer to COMMIT is lost, once', async () => {
      const trx = await withInvalidation(native, transactions).startTransaction().execute();
      await trx.insertInto('contract_rows').values(row(1)).execute();
      trx.invalidate(key('row', 1));
      database.loseCommit();
      await expect(trx.commit().execute()).rejects.toThrow(/terminated/);
      await expect(trx.rollback().execute()).rejects.toThrow(/not queryable/);
      expect(witness.targets).toEqual([['key row:1']]);
      expect(await rows(subject)).toEqual([row(1)]);
    });

    it('cannot be run again by us', () => {
      const db = withInvalidation(native, transactions);
      const retries = { retries: 1 } as object;
      return expect(db.startTransaction(retries).execute()).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    });
  });
});
