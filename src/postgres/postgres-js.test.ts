import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import type { DataLayerTransaction } from '../testing/data-layer-subject.ts';
import { type PostgresJsTransaction, postgresJsLayer, postgresJsTransaction } from './postgres-js.ts';
import { createTransactions } from './transactions.ts';

let database: ContractDatabase;
beforeAll(async () => {
  database = await startContractDatabase();
}, 60_000);
afterAll(() => database.stop());

/** What it asks for its types at each connection is no statement of ours. */
const open = (max?: number): postgres.Sql =>
  postgres(database.url, { fetch_types: false, onnotice: () => {}, ...(max === undefined ? {} : { max }) });

function wrap(tx: PostgresJsTransaction<postgres.Sql>): DataLayerTransaction {
  return {
    run: async (sql) => [...(await tx.unsafe(sql))],
    invalidate: (...targets) => tx.invalidate(...targets),
    nested: (work) => tx.savepoint((inner) => work(wrap(inner))),
  };
}

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'postgres.js',
    open: () => {
      const sql = open();
      return {
        ...database,
        sql,
        transaction: (transactions, work, options) =>
          transactions.run(
            postgresJsLayer(sql),
            (native, changes) => work(wrap(postgresJsTransaction(native, changes))),
            options,
          ),
      };
    },
    // Without a limit it waits for ever for a connection that was lost in a COMMIT.
    close: ({ sql }) => sql.end({ timeout: 0 }),
  },
);

describe('transaction over postgres.js', () => {
  let sql: postgres.Sql;
  let cache: Cache;
  beforeEach(async () => {
    cache = createCache({ name: 'shop' });
    sql = open(1);
    await database.ask('DROP TABLE IF EXISTS users');
    await database.ask('CREATE TABLE users (id int PRIMARY KEY, name text)');
  });
  afterEach(async () => {
    await cache.close();
    await sql.end();
  });

  it('is its own sql with what it collects, and a pool of one is enough', async () => {
    const { withReceipt } = createTransactions(cache, { carrier: 'none', replicas: true });
    const { value, receipt } = await withReceipt(sql, async (sql) => {
      const [row] = await sql<{ id: number }[]>`INSERT INTO users ${sql({ id: 1, name: 'Ada' })} RETURNING id`;
      await sql.savepoint(async (sql) => {
        await sql`UPDATE users SET name = ${'Bea'} WHERE id = ${1}`;
        sql.invalidate(key('user', 1));
      });
      return row?.id;
    });
    expect([value, receipt?.status]).toEqual([1, 'applied']);
    expect(await sql`SELECT name FROM users`).toEqual([{ name: 'Bea' }]);
  });
});
