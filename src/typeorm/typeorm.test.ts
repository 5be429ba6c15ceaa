import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { key, tag } from '../coherence/target.ts';
import { type Row, type Target, type Touches, Transactions } from '../postgres/transaction.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import { type DataLayerTransaction, outbox, prepareDatabase, Witness } from '../testing/data-layer-subject.ts';
import { type InvalidatingDataSource, type InvalidatingManager, withInvalidation } from './data-source.ts';

interface User {
  id: number;
  name: string;
  orgId: number;
  deletedAt?: Date | null;
}

const User = new EntitySchema<User>({
  name: 'User',
  tableName: 'users',
  columns: {
    id: { type: 'int', primary: true },
    name: { type: 'text' },
    orgId: { type: 'int' },
    deletedAt: { type: 'timestamptz', deleteDate: true, nullable: true },
  },
});

const Note = new EntitySchema<{ id: number; text: string }>({
  name: 'Note',
  tableName: 'notes',
  columns: { id: { type: 'int', primary: true }, text: { type: 'text' } },
});

let database: ContractDatabase;
beforeAll(async () => {
  database = await startContractDatabase();
}, 60_000);
afterAll(() => database.stop());

function open(max = 10): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    url: database.url,
    entities: [User, Note],
    extra: { max },
  }).initialize();
}

function wrap(manager: InvalidatingManager): DataLayerTransaction {
  return {
    run: (sql) => manager.query<Row[]>(sql),
    invalidate: (...targets) => manager.invalidate(...targets),
    nested: (work) => manager.transaction((inner) => work(wrap(inner))),
  };
}

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'TypeORM',
    open: async () => {
      const dataSource = await open();
      let made: { readonly of: Transactions; readonly db: InvalidatingDataSource } | undefined;
      return {
        ...database,
        dataSource,
        transaction: (transactions, work, options = {}) => {
          if (made?.of !== transactions) {
            dataSource.subscribers.length = 0;
            made = { of: transactions, db: withInvalidation(dataSource, transactions) };
          }
          return made.db.transactionWithReceipt(options, (manager) => work(wrap(manager)));
        },
      };
    },
    close: ({ dataSource }) => dataSource.destroy(),
  },
);

/** As `createTouches` makes it. */
const touches: Touches<{ User: User }> = {
  kinds: ['User'],
  of: (_kind, before, after) =>
    [before, after].flatMap((it): Target[] => (it === undefined ? [] : [key('user', it.id), tag(`org:${it.orgId}`)])),
};

describe('withInvalidation of TypeORM', () => {
  const subject = { ask: (text: string) => database.ask(text) };
  let witness: Witness;
  let transactions: Transactions;
  let native: DataSource;
  beforeEach(async () => {
    await prepareDatabase(subject);
    await database.ask('DROP TABLE IF EXISTS users, notes');
    await database.ask(
      'CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE DEFERRABLE INITIALLY DEFERRED, "orgId" int, "deletedAt" timestamptz)',
    );
    await database.ask('CREATE TABLE notes (id int PRIMARY KEY, text text)');
    native = await open(1);
    witness = new Witness(subject);
    transactions = new Transactions(witness, { replicas: true });
  });
  afterEach(async () => {
    await native.destroy();
    await witness.cache.close();
  });
  const ada: User = { id: 1, name: 'Ada', orgId: 7 };
  const heard = () => witness.heard.map(({ targets }) => [...new Set(targets)]);

  it('collects what entities touch, as they were and as they are', async () => {
    const db = withInvalidation(native, transactions, { touches });
    await db.transaction((manager) => manager.save(User, { ...ada }));
    await db.transaction((manager) => manager.save(User, { id: 1, orgId: 8 }));
    await db.transaction(async (manager) => {
      await manager.softRemove(User, { id: 1 });
      await manager.recover(User, { id: 1 });
      manager.invalidate(tag('mine'));
    });
    await db.transaction('SERIALIZABLE', (manager) => manager.remove(User, { id: 1 } as User));
    expect(heard()).toEqual([
      ['key user:1', 'tag org:7'],
      ['key user:1', 'tag org:7', 'tag org:8'],
      ['key user:1', 'tag org:8', 'tag mine'],
      ['key user:1', 'tag org:8'],
    ]);
    expect((await outbox(subject)).length).toBe(4);
  });

  it('collects in the transactions that TypeORM begins, too, with one connection', async () => {
    const { manager } = withInvalidation(native, transactions, { touches });
    await manager.save(User, { ...ada });
    await manager.getRepository(User).save({ ...ada, orgId: 8 });
    await native.transaction(async (inside) => {
      await inside.save(User, { id: 2, name: 'Bea', orgId: 9 });
      expect(witness.heard.length).toBe(2);
    });
    expect(heard()).toEqual([
      ['key user:1', 'tag org:7'],
      ['key user:1', 'tag org:7', 'tag org:8'],
      ['key user:2', 'tag org:9'],
    ]);
    expect((await outbox(subject)).map(({ id }) => id)).toEqual(witness.heard.map(({ id }) => id));
    expect(witness.heard).toMatchObject([{ lsn: expect.any(BigInt) }, {}, {}]);
  });

  it('says nothing of an entity that nothing depends on, or that has not changed', async () => {
    const { manager } = withInvalidation(native, transactions, { touches });
    await manager.save(Note, { id: 1, text: 'a' });
    await manager.update(Note, 1, { text: 'b' });
    await manager.save(User, { ...ada });
    await manager.save(User, { ...ada });
    expect(heard().length).toBe(1);
  });

  it('says nothing of what TypeORM has rolled back, and all of it of what it has not', async () => {
    withInvalidation(native, transactions, { touches });
    const save = (id: number) => (manager: { save: typeof native.manager.save }) =>
      manager.save(User, { id, name: `user ${id}`, orgId: id });
    await expect(
      native.transaction(async (manager) => {
        await save(1)(manager);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await native.transaction(async (manager) => {
      await save(2)(manager);
      await expect(
        manager.transaction(async (inner) => {
          await save(3)(inner);
          await inner.transaction(save(4));
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      await manager.transaction(save(5));
    });
    expect(heard()).toEqual([['key user:2', 'tag org:2', 'key user:5', 'tag org:5']]);
  });

  it('says nothing where the COMMIT of TypeORM is refused', async () => {
    const { manager } = withInvalidation(native, transactions, { touches });
    await manager.save(User, { ...ada });
    await expect(manager.save(User, { ...ada, id: 2 })).rejects.toMatchObject({ code: '23505' });
    expect(heard().length).toBe(1);
    expect((await outbox(subject)).length).toBe(1);
  });

  it('does not let TypeORM say that it has committed where a statement had failed', async () => {
    const { manager } = withInvalidation(native, new Transactions(witness, { carrier: 'none' }), { touches });
    const swallowed = manager.transaction(async (inside) => {
      await inside.save(User, { ...ada });
      await inside.query('SELECT 1 / 0').catch(() => {});
    });
    await expect(swallowed).rejects.toMatchObject({ code: 'NOT_COMMITTED' });
    expect(heard()).toEqual([]);
  });

  it('invalidates where the answer to the COMMIT of TypeORM is lost', async () => {
    const { manager } = withInvalidation(native, transactions, { touches });
    const lost = manager.transaction(async (inside) => {
      await inside.save(User, { ...ada });
      database.loseCommit();
    });
    await expect(lost).rejects.toThrow(/terminated/);
    expect(heard()).toEqual([['key user:1', 'tag org:7']]);
    expect(await database.ask('SELECT id FROM users')).toEqual([{ id: 1 }]);
    const [kept] = await outbox(subject);
    expect(kept?.id).not.toBe(witness.heard[0]?.id);
  });

  it('refuses a change of rows that nobody knows, before it is made', async () => {
    const { manager } = withInvalidation(native, transactions, { touches });
    await manager.save(User, { ...ada });
    const changes = [
      () => manager.update(User, { orgId: 7 }, { orgId: 8 }),
      () => manager.delete(User, { orgId: 7 }),
      () => manager.softDelete(User, { orgId: 7 }),
      () => manager.restore(User, { orgId: 7 }),
      () => manager.createQueryBuilder().update(User).set({ orgId: 8 }).execute(),
    ];
    for (const change of changes) await expect(change()).rejects.toMatchObject({ code: 'INVALID_TARGET' });
    expect(await manager.findOneBy(User, { id: 1 })).toMatchObject(ada);
  });

  it('takes what is stale after a change of rows that nobody knows', async () => {
    const blind = { User: () => tag('users') };
    const { manager } = withInvalidation(native, transactions, { touches, blind });
    await manager.insert(User, { ...ada });
    await manager.update(User, { orgId: 7 }, { orgId: 8 });
    await manager.transaction((inside) => inside.delete(User, { orgId: 8 }));
    expect(heard()).toEqual([['key user:1', 'tag org:7'], ['tag users'], ['tag users']]);
    expect((await outbox(subject)).length).toBe(3);
  });

  it('is set up once, on a data source that is initialized', async () => {
    const later = new DataSource({ type: 'postgres', url: database.url });
    const refused = expect.objectContaining({ code: 'INVALID_OPTION' });
    expect(() => withInvalidation(later, transactions)).toThrow(refused);
    expect(() => withInvalidation(native, transactions, { touches, blind: { Usr: () => [] } as object })).toThrow(
      refused,
    );
    withInvalidation(native, transactions);
    expect(() => withInvalidation(native, transactions)).toThrow(refused);
  });
});
