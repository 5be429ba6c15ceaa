import { eq, sql } from 'drizzle-orm';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { integer, pgTable } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ContractDatabase, startContractDatabase } from '../../test/servers/contract-database.ts';
import { key, tag } from '../coherence/target.ts';
import { type Row, Transactions } from '../postgres/transaction.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import {
  type DataLayerSubject,
  type DataLayerTransaction,
  prepareDatabase,
  rows,
  Witness,
} from '../testing/data-layer-subject.ts';
import { type DrizzleDatabase, type InvalidatingTransaction, withInvalidation } from './database.ts';

const table = pgTable('contract_rows', {
  id: integer().primaryKey(),
  value: integer().notNull(),
  checked: integer(),
});

let database: ContractDatabase;
beforeAll(async () => {
  database = await startContractDatabase();
}, 60_000);
afterAll(() => database.stop());

function openPool(max = 10): pg.Pool {
  const pool = new pg.Pool({ connectionString: database.url, max });
  // Drizzle does not listen to a client that is in use: one whose connection is lost would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

function wrap(tx: InvalidatingTransaction<DrizzleDatabase>): DataLayerTransaction {
  return {
    run: async (text) => {
      const answer = await tx.execute(text);
      return Array.isArray(answer) ? [...(answer as Row[])] : (answer as { rows: Row[] }).rows;
    },
    invalidate: (...targets) => tx.invalidate(...targets),
    nested: (work) => tx.transaction((inner) => work(wrap(inner))),
  };
}

function subjectOf(db: DrizzleDatabase, close: () => Promise<void>): DataLayerSubject & { close: typeof close } {
  return {
    ...database,
    close,
    transaction: (transactions, work, options = {}) => {
      const { isolation, ...rest } = options;
      return withInvalidation<DrizzleDatabase>(db, transactions).transactionWithReceipt((tx) => work(wrap(tx)), {
        ...rest,
        ...(isolation && { isolationLevel: isolation }),
      });
    },
  };
}

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'Drizzle over pg',
    open: () => {
      const pool = openPool();
      return subjectOf(drizzlePg(pool), () => pool.end());
    },
    close: ({ close }) => close(),
  },
);

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'Drizzle over postgres.js',
    open: () => {
      const client = postgres(database.url, { fetch_types: false, onnotice: () => {} });
      return subjectOf(drizzlePostgresJs(client), () => client.end({ timeout: 0 }));
    },
    close: ({ close }) => close(),
  },
);

describe('withInvalidation of Drizzle', () => {
  const subject = { ask: (text: string) => database.ask(text) };
  let pool: pg.Pool;
  let witness: Witness;
  beforeEach(async () => {
    await prepareDatabase(subject);
    pool = openPool(1);
    witness = new Witness(subject);
  });
  afterEach(async () => {
    await witness.cache.close();
    await pool.end();
  });

  it('gives transactions with queries, relations and savepoints, from a pool of one', async () => {
    const native = drizzlePg(pool, { schema: { table } });
    const db = withInvalidation(native, new Transactions(witness, { replicas: true }));
    const found = await db.transaction(
      async (tx) => {
        await tx.insert(table).values({ id: 1, value: 0 });
        tx.invalidate(key('row', 1));
        await tx
          .transaction(async (inner) => {
            await inner.update(table).set({ value: 7 }).where(eq(table.id, 1));
            inner.invalidate(tag('lost'));
            inner.rollback();
          })
          .catch(() => {});
        return tx.query.table.findFirst();
      },
      { accessMode: 'read write', isolationLevel: 'read uncommitted' },
    );
    expect(found).toEqual({ id: 1, value: 0, checked: null });
    expect(await db.select().from(table)).toEqual([found]);
    expect(witness.heard).toMatchObject([{ targets: ['key row:1'], seen: [{ id: 1, value: 0 }] }]);
    expect(await native.transaction(async (tx) => 'invalidate' in tx)).toBe(false);
  });

  it('does not commit a transaction that may not write down what it collects', async () => {
    const db = withInvalidation(drizzlePg(pool), new Transactions(witness));
    const readOnly = db.transaction(async (tx) => tx.invalidate(tag('rows')), { accessMode: 'read only' });
    await expect(readOnly).rejects.toMatchObject({ cause: { code: '25006' } });
    expect(witness.heard).toEqual([]);
  });

  it('finds the SQLSTATE below the error of Drizzle', async () => {
    const db = withInvalidation(drizzlePg(pool), new Transactions(witness));
    let attempts = 0;
    await db.transaction(
      async (tx) => {
        await tx.insert(table).values({ id: ++attempts, value: 0 });
        if (attempts < 2) await tx.execute(sql`DO $$ BEGIN RAISE 'again' USING ERRCODE = '40001'; END $$`);
      },
      { retries: 1 },
    );
    expect(await rows(subject)).toEqual([{ id: 2, value: 0 }]);
  });
});
