import { afterEach, beforeAll, afterAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { createOperations } from '../operations/index.ts';
import { redis } from '../redis/index.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { type Fleet, openFleet } from './fleet.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
}, 30_000);
afterAll(() => server.stop());

let fleet: Fleet | undefined;
const caches: Cache[] = [];
afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
  await Promise.all(caches.splice(0).map((it) => it.close()));
});

async function node(name: string): Promise<Cache> {
  const cache = createCache({ name, ...redis({ url: server.url }) });
  caches.push(cache);
  await cache.ready();
  return cache;
}

async function ask(path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await (fleet as Fleet).admin.fetch(new Request(`http://localhost${path}`, init));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

it('refuses a name that nobody has, names those there are, and makes none', async () => {
  await expect(openFleet({ redis: server.url, name: 'none-yet' })).rejects.toThrow(
    'There is no fleet "none-yet" on this server. Start one of its services first.',
  );
  await node('shop');
  await node('staging:shop');
  const wrong = openFleet({ redis: server.url, name: 'shpo' });
  await expect(wrong).rejects.toThrow('There is no fleet "shpo" on this server. There are shop, staging:shop.');
  await expect(openFleet({ redis: server.url, name: 'shpo' })).rejects.toThrow('There is no fleet');
});

it('fails where no server answers', async () => {
  await expect(openFleet({ redis: 'redis://127.0.0.1:1', name: 'shop', timeout: 300 })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});

it('looks at a fleet without being a part of it, and invalidates in all of it', async () => {
  const cache = await node('looked-at');
  const before = (await cache.parts.presence?.list())?.nodes.map((it) => it.node);
  expect(before).toEqual([cache.parts.node]);
  await cache.getOrSet('user:42', () => 'old');
  await waitUntil(async () => (await cache.inspect('user:42')).entries.some((it) => it.tier === 'store'));
  const operations = createOperations(cache, { reportEvery: 500 });
  fleet = await openFleet({ redis: server.url, name: 'looked-at' });
  const reported = await waitUntil(async () => {
    const { body } = await ask('/admin/cache/nodes');
    const nodes = body['nodes'] as { status: string }[];
    return nodes.every(({ status }) => status !== 'silent') && nodes;
  });
  expect(reported).toMatchObject([{ node: cache.parts.node, kind: 'node', attached: true, lag: expect.any(Number) }]);
  expect((await ask('/admin/cache/fleet')).body).toMatchObject({ total: { nodes: 1 }, server: { role: 'primary' } });
  await operations.close();
  const listed = await ask('/admin/cache/keys?tier=store&prefix=user');
  expect(listed).toMatchObject({ status: 200, body: { keys: ['user:42'] } });
  const { body: entry } = await ask('/admin/cache/entry?key=user:42&value=1');
  expect(entry).toMatchObject({
    inspection: { entries: [{ tier: 'store', verdict: 'fresh', value: { value: 'old' } }] },
  });
  const everywhere = await ask('/api/system/cache/invalidate', { keys: ['user:42'], acknowledged: 'everywhere' });
  expect(everywhere).toMatchObject({ status: 200, body: { everywhere: true } });
  expect(await cache.getOrSet('user:42', () => 'new')).toBe('new');
  expect((await ask('/admin/cache/server')).body).toMatchObject({ server: expect.stringMatching(/^(redis|valkey) /) });
  const { body: records } = await ask('/admin/cache/records');
  expect(records['records']).toMatchObject([{ targets: ['key user:42'], cause: { event: 'admin.invalidate' } }]);
  expect((await cache.parts.presence?.list())?.nodes.map((it) => it.node)).toEqual(before);
});
