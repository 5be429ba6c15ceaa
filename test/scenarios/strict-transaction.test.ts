import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cache, key } from '../../src/index.ts';
import { createTransactions } from '../../src/postgres/index.ts';
import { pgLayer } from '../../src/postgres/pg.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { RelayStage } from './relay-stage.ts';

const PATIENT = { timeout: 20_000 };

let stage: RelayStage;
let caches: Cache[];

beforeAll(async () => {
  stage = await RelayStage.set();
  await stage.pool.query('CREATE TABLE item (id int PRIMARY KEY, value int)');
}, 60_000);
afterAll(() => stage.strike());

beforeEach(async () => {
  await stage.pool.query('INSERT INTO item VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET value = 0');
  caches = [1, 2, 3].map(() => stage.cache({ strict: true }));
  await Promise.all(caches.map((cache) => cache.ready({ timeout: '10s' })));
  await warm(0);
});
afterEach(() => stage.clear());

const read = (cache: Cache, options = {}): Promise<number> =>
  cache.getOrSet(
    ['item', 1],
    async () => (await stage.pool.query<{ value: number }>('SELECT value FROM item WHERE id = 1')).rows[0]?.value ?? -1,
    options,
  );
const kept = (): Promise<unknown[]> => Promise.all(caches.map((cache) => cache.get(['item', 1])));

/** Every node has this value in memory. */
async function warm(value: number): Promise<void> {
  await waitUntil(async () => {
    await Promise.all(caches.map((cache) => read(cache)));
    return (await kept()).every((it) => it === value);
  }, PATIENT);
}

describe('a strict transaction on real servers', { timeout: 60_000 }, () => {
  it('has returned: nobody anywhere reads anything older, whatever they tolerate', async () => {
    stage.relay();
    const { withReceipt } = createTransactions(caches[0] as Cache);
    const old: string[] = [];
    let returned = 0;
    let busy = true;
    const readers = caches.flatMap((cache) =>
      [{}, { maxStaleness: '10s' }].map(async (options) => {
        while (busy) {
          const owed = returned;
          const got = await read(cache, options);
          if (got < owed) old.push(`${got} instead of ${owed}`);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    for (let i = 0; i < 20; i++) {
      const { receipt } = await withReceipt(
        stage.pool,
        async (tx) => {
          await tx.query('UPDATE item SET value = value + 1 WHERE id = 1');
          tx.invalidate(key('item', 1));
        },
        { strict: true },
      );
      expect(receipt).toMatchObject({ strict: true });
      returned++;
    }
    busy = false;
    await Promise.all(readers);
    expect(old).toEqual([]);
    await stage.emptied();
    await warm(20);
  });

  it('whose writer never hears of its commit: withheld, never old, until the relay has asked the database', async () => {
    const transactions = createTransactions(caches[0] as Cache);
    const layer = pgLayer(stage.pool);
    const lost = new Error('the connection was lost');
    const writing = transactions.run(
      {
        ...layer,
        begin: async (work, settings) => {
          await layer.begin(work, settings);
          throw lost;
        },
      },
      async (client, changes) => {
        await client.query('UPDATE item SET value = 7 WHERE id = 1');
        changes.invalidate(key('item', 1));
      },
      { strict: true },
    );
    await expect(writing).rejects.toBe(lost);
    expect(await Promise.all(caches.map((cache) => read(cache)))).toEqual([7, 7, 7]);
    expect(await kept()).toEqual([undefined, undefined, undefined]);
    expect(caches.map((cache) => cache.status().announced)).toEqual([1, 1, 1]);
    stage.relay();
    await waitUntil(() => caches.every((cache) => cache.status().announced === 0), PATIENT);
    await warm(7);
    await stage.emptied();
  });

  it('that is rolled back withholds nothing any more', async () => {
    const { transaction } = createTransactions(caches[0] as Cache);
    await stage.pool.query('CREATE TABLE IF NOT EXISTS late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    const refused = transaction(
      stage.pool,
      async (tx) => {
        await tx.query('INSERT INTO late VALUES (1), (1)');
        tx.invalidate(key('item', 1));
      },
      { strict: true },
    );
    await expect(refused).rejects.toMatchObject({ code: '23505' });
    await waitUntil(() => caches.every((cache) => cache.status().announced === 0), PATIENT);
    await warm(0);
  });
});
