import { PGlite, type Transaction } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OUTBOX } from '../../test/servers/contract-database.ts';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { dataLayerContract } from '../testing/data-layer-contract.ts';
import type { DataLayerTransaction } from '../testing/data-layer-subject.ts';
import type { Row } from './data-layer.ts';
import { type PgliteTransaction, pgliteLayer, pgliteTransaction } from './pglite.ts';
import { createTransactions } from './transactions.ts';

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
  await db.exec(OUTBOX);
}, 120_000);
afterAll(() => db.close());

const ask = async (sql: string): Promise<readonly Row[]> => (await db.query<Row>(sql)).rows;

function wrap(tx: PgliteTransaction<Transaction>): DataLayerTransaction {
  return {
    run: async (sql) => (await tx.query<Row>(sql)).rows,
    invalidate: (...targets) => tx.invalidate(...targets),
    nested: (work) => tx.savepoint((inner) => work(wrap(inner))),
  };
}

const oneBackend = 'PGlite has one connection: nothing else is asked while a transaction runs';
const noConnection = 'PGlite is in the process: there is no connection to lose';

dataLayerContract(
  { describe, it, beforeEach, afterEach },
  {
    name: 'PGlite',
    open: () => ({
      ask,
      transaction: (transactions, work, options) =>
        transactions.run(
          pgliteLayer(db),
          (native, changes) => work(wrap(pgliteTransaction(native as Transaction, changes))),
          options,
        ),
    }),
    skip: {
      'commit: two transactions at once keep their targets apart': oneBackend,
      'retries: a row that another has changed since the snapshot': oneBackend,
      'retries: one of two that wait for each other': oneBackend,
      'losing the connection before COMMIT: says nothing, and the next transaction has another': noConnection,
      'losing the connection in a COMMIT: invalidates, since it may have committed': noConnection,
      'losing the answer to COMMIT: invalidates, since it may have committed': noConnection,
      'strict: lost in the COMMIT, it is left to the relay': noConnection,
      'wal: has one message of a committed transaction, with the id of its record, and none of another':
        'PGlite has no logical replication',
      'every carrier takes at most one statement more': 'PGlite has no pg_stat_statements here',
    },
  },
);

describe('transaction over PGlite', () => {
  it('is its own query with what it collects', async () => {
    const cache = createCache({ name: 'shop' });
    const { withReceipt } = createTransactions(cache);
    const { value, receipt } = await withReceipt(db, async (tx) => {
      tx.invalidate(key('user', 1));
      return (await tx.query<{ n: number }>('SELECT 1 AS n')).rows[0]?.n;
    });
    expect([value, receipt?.status]).toEqual([1, 'applied']);
    await cache.close();
  });
});
