import { afterEach, describe, expect, it } from 'vitest';
import { type Cache, createCache, key, TidemarkError } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';

const MAX_LAG = 500;
const EVERYWHERE = { acknowledged: 'everywhere' } as const;
const ATTACHED = { timeout: '10s' } as const;

const shared = emptiedRedis();
let caches: Cache[] = [];
let version = 0;

afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});

function node(url = shared.server.url): Cache {
  const cache = createCache({ name: 'shop', maxLag: MAX_LAG, ...redis({ url }) });
  caches.push(cache);
  return cache;
}

const listed = (): Promise<Record<string, string>> => shared.admin.hgetall('{shop}:nodes');

/** Until a list has been known for as long as a node that it lost would serve. */
async function settle(writer: Cache): Promise<void> {
  await waitUntil(async () => {
    const began = performance.now();
    await writer.invalidate([key('nothing')], EVERYWHERE);
    return performance.now() - began < MAX_LAG / 2;
  });
}

describe('an invalidation acknowledged everywhere', () => {
  it('returns when no other node serves the old value any more, long before a proof runs out', async () => {
    const [writer, other, third] = [node(), node(), node()];
    await Promise.all(caches.map((cache) => cache.ready(ATTACHED)));
    await settle(writer);
    for (let round = 0; round < 50; round++) {
      const before = ++version;
      await Promise.all([other, third].map((cache) => cache.getOrSet('user:1', () => before)));
      version++;
      const receipt = await writer.invalidate([key('user:1')], EVERYWHERE);
      expect(receipt).toMatchObject({ status: 'applied', everywhere: true });
      for (const cache of [other, third]) expect(await cache.get('user:1')).toBeUndefined();
    }
  });

  it('waits for a node that does not answer only as long as that one might serve', async () => {
    const writer = node();
    await writer.ready(ATTACHED);
    await settle(writer);
    await shared.admin.hset('{shop}:nodes', 'shop#dead', `- 0 ${MAX_LAG} ${Date.now()}`);
    const began = performance.now();
    const receipt = await writer.invalidate([key('user:1')], EVERYWHERE);
    expect(receipt).toMatchObject({ status: 'applied', everywhere: true });
    expect(performance.now() - began).toBeGreaterThan(MAX_LAG);
  });

  it('takes a list that was lost for one that may lack a node, and every node enters it again', async () => {
    const [writer] = [node(), node()];
    await Promise.all(caches.map((cache) => cache.ready(ATTACHED)));
    await settle(writer);
    await shared.admin.del('{shop}:nodes');
    const began = performance.now();
    expect((await writer.invalidate([key('user:1')], EVERYWHERE)).everywhere).toBe(true);
    expect(performance.now() - began).toBeGreaterThan(MAX_LAG);
    await waitUntil(async () => Object.keys(await listed()).filter((name) => name !== 'id').length === 2);
  });

  it('promises nothing while the log does not take it', async () => {
    const cache = node('redis://127.0.0.1:1');
    const receipt = await cache.invalidate([key('user:1')], EVERYWHERE);
    expect(receipt).toMatchObject({ status: 'queued', everywhere: false });
  });

  it('takes a node that is closed off the list', async () => {
    const [writer, other] = [node(), node()];
    await Promise.all([writer, other].map((cache) => cache.ready(ATTACHED)));
    await waitUntil(async () => Object.keys(await listed()).length === 3);
    await other.close();
    expect(Object.keys(await listed())).toHaveLength(2);
  });

  it('needs no list where the log is in this process, and is refused where nobody knows the nodes', async () => {
    const alone = createCache({ name: 'alone' });
    caches.push(alone);
    expect((await alone.invalidate([key('user:1')], EVERYWHERE)).everywhere).toBe(true);
    const { presence: _, ...rest } = redis({ url: shared.server.url });
    const blind = createCache({ name: 'blind', ...rest });
    caches.push(blind);
    await expect(blind.invalidate([key('user:1')], EVERYWHERE)).rejects.toThrow(TidemarkError);
    await expect(blind.invalidate([key('user:1')], EVERYWHERE)).rejects.toThrow('Give createCache the part `presence`');
  });
});
