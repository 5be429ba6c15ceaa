import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Cache, createCache } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Source } from '../herd/source.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const NODES = 4;
const READERS = 10;
const CONCURRENCY = 3;
const ROWS = Array.from({ length: 400 }, (_, i) => `row:${i}`);

let server: RedisServer;
let caches: Cache[] = [];
let readers: Promise<void>[] = [];
let isBusy = false;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

afterEach(async () => {
  isBusy = false;
  await Promise.all(readers);
  await Promise.all(caches.map((cache) => cache.close({ drain: 0 })));
  caches = [];
});

it('a Redis that is emptied sends no more readers to the source than a process may, and nobody for a key twice', async () => {
  const source = new Source();
  const epochs = Array.from({ length: NODES }, () => 0);
  const parts = redis({ url: server.url, timeout: '2s' });
  for (let node = 0; node < NODES; node++) {
    const cache = createCache({
      ...{ name: 'shop', requestTimeout: '2s', loads: { concurrency: CONCURRENCY } },
      ...parts,
    });
    cache.on(({ type }) => {
      if (type === 'epoch') epochs[node] = (epochs[node] ?? 0) + 1;
    });
    caches.push(cache);
  }
  await Promise.all(caches.map((cache) => cache.ready({ timeout: '15s' })));

  isBusy = true;
  const errors: unknown[] = [];
  const read = async (node: number): Promise<void> => {
    while (isBusy) {
      const row = ROWS[Math.floor(Math.random() * ROWS.length)] as string;
      const load = async (): Promise<string> => {
        await source.load(node, row);
        return row;
      };
      await (caches[node] as Cache).getOrSet(row, load).catch((error: unknown) => errors.push(error));
      await pause(1);
    }
  };
  readers = caches.flatMap((_, node) => Array.from({ length: READERS }, () => read(node)));
  const isWarm = async (): Promise<boolean> => {
    for (const cache of caches) if ((await cache.getMany(ROWS)).includes(undefined)) return false;
    return true;
  };
  await waitUntil(isWarm, { timeout: 20_000, every: 50, what: 'the caches to be warm' });
  source.time = 20;
  source.reset();

  await ask(server.port, 'FLUSHALL');
  // What was begun under a lease that is lost comes to its end.
  await pause(5 * source.time);
  source.since = performance.now();
  await waitUntil(() => epochs.every((count) => count === 2), { timeout: 15_000, what: 'another epoch' });
  await waitUntil(isWarm, { timeout: 20_000, every: 50, what: 'the caches to be warm again' });

  expect(errors).toEqual([]);
  expect(source.mostOfOne).toBe(CONCURRENCY);
  expect(source.doubles).toBe(0);
  // Every row, by one of the four; by more only where it was begun before the new epoch was known.
  expect(source.loads).toBeGreaterThanOrEqual(ROWS.length);
  expect(source.loads).toBeLessThan(2 * ROWS.length);
}, 60_000);
