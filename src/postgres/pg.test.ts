import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import type { DataLayerTransaction } from '../testing/data-layer-subject.ts';
import { type PgTransaction, pgLayer, pgTransaction } from './pg.ts';
import { createTransactions } from './transactions.ts';

let database: ContractDatabase;
beforeAll(async () => {
  database = await startContractDatabase();
}, 60_000);
afterAll(() => database.stop());

function wrap(tx: PgTransaction): DataLayerTransaction {
  return {
    run: async (sql) => (await tx.query(sql)).rows,
    invalidate: (...targets) => tx.invalidate(...targets),
    nested: (work) => tx.savepoint((inner) => work(wrap(inner))),
  };
}

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'pg',
    open: () => {
      const pool = new pg.Pool({ connectionString: database.url });
      return {
        ...database,
        pool,
        transaction: (transactions, work, options) =>
          transactions.run(pgLayer(pool), (client, changes) => work(wrap(pgTransaction(client, changes))), options),
      };
    },
    close: ({ pool }) => pool.end(),
  },
);

describe('transaction over pg', () => {
  let pool: pg.Pool;
  let cache: Cache;
  beforeEach(async () => {
    cache = createCache({ name: 'shop' });
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    await database.ask('DROP TABLE IF EXISTS users');
    await database.ask('CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE DEFERRABLE INITIALLY DEFERRED)');
  });
  afterEach(async () => {
    await cache.close();
    await pool.end();
  });

  it('gives back its client before it invalidates: a pool of one is enough', async () => {
    const { withReceipt } = createTransactions(cache, { carrier: 'none', replicas: true });
    const { value, receipt } = await withReceipt(pool, async (tx) => {
      const { rows } = await tx.query<{ id: number }>("INSERT INTO users VALUES (1, 'Ada') RETURNING id");
      tx.invalidate(key('user', 1));
      return rows[0]?.id;
    });
    expect([value, receipt?.status]).toEqual([1, 'applied']);
  });
});
