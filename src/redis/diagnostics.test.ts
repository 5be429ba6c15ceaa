import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import type { Diagnostics } from '../cache/diagnostics.ts';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { partContext } from '../testing/part-context.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { type RedisCluster, startCluster } from '../../test/servers/redis-cluster.ts';
import type { RedisClient } from './client.ts';
import { logNames } from './log-names.ts';
import { redis } from './redis.ts';

const patience = { timeout: '10s' } as const;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A cache with a client of its own. */
async function open(client: RedisClient, name = 'shop'): Promise<{ cache: Cache; diagnostics: Diagnostics }> {
  const cache = createCache({ name, ...redis({ client, timeout: '2s' }), requestTimeout: '2s' });
  ends.push(() => cache.close());
  await cache.ready(patience);
  return { cache, diagnostics: cache.parts.diagnostics as Diagnostics };
}

/** Every place of a walk, by pages of about so many. */
async function walk(diagnostics: Diagnostics, prefix: string, most: number): Promise<string[]> {
  const found = new Set<string>();
  for (let from: string | undefined; ; ) {
    const page = await diagnostics.places(prefix, from, most);
    for (const place of page.places) found.add(place);
    if (page.next === undefined) return [...found].sort();
    from = page.next;
  }
}

const stored = async (admin: Redis, count: number): Promise<void> =>
  void (await waitUntil(async () => (await admin.dbsize()) >= count, { timeout: 10_000 }));

describe('on one server', () => {
  const subject = emptiedRedis();

  describe.each(clientFamilies)('with $name', (family) => {
    const client = (): RedisClient => {
      const made = family.standalone({ port: subject.server.port });
      ends.push(() => family.end(made));
      return made;
    };

    it('say how the server is, and what the log takes', async () => {
      const { cache, diagnostics } = await open(client());
      await cache.invalidate(key('a'));
      await cache.invalidate(key('b'));
      const report = await diagnostics.server();
      expect(report).toMatchObject({ evictionPolicy: 'noeviction', memoryMost: 0, role: 'primary', replicas: 0 });
      expect(report.server).toMatch(/^(redis|valkey) \d+\.\d+/);
      // The table alone is two MiB.
      expect(report.logBytes).toBeGreaterThan(2 ** 21);
      expect(report.logBytes).toBeLessThan(2 ** 23);
      // Two appends, and where the epoch begins.
      expect(report.logRecords).toBe(3);
      for (const number of [report.memoryUsed, report.clients]) expect(number).toBeGreaterThan(0);
      // The server counts whole seconds.
      expect((report.uptime ?? Number.NaN) % 1_000).toBe(0);
      for (const number of [report.hits, report.misses, report.evicted, report.expired])
        expect(number).toBeTypeOf('number');
    });

    it('show the newest records that are kept, page by page', async () => {
      const { cache, diagnostics } = await open(client());
      expect(await diagnostics.records(10)).toEqual([]);
      for (let i = 0; i < 5; i++) await cache.invalidate([key('user', i)], { cause: { event: `e${i}` } });
      // One append of several records, of different causes.
      await Promise.all([5, 6, 7].map((i) => cache.invalidate([tag(`t${i}`)], { cause: { event: `e${i}` } })));
      const all = await diagnostics.records(100);
      expect(all.map(({ cause }) => cause?.event)).toEqual(['e7', 'e6', 'e5', 'e4', 'e3', 'e2', 'e1', 'e0']);
      expect(all[3]).toMatchObject({ kind: 'invalidate', targets: ['key user:4'], origin: cache.parts.node });
      for (let most = 1; most <= 9; most++) {
        const paged: number[] = [];
        for (let before: number | undefined; ; before = paged.at(-1)) {
          const page = await diagnostics.records(most, before);
          expect(page.length).toBeLessThanOrEqual(most);
          if (page.length === 0) break;
          paged.push(...page.map(({ number }) => number));
        }
        expect(paged).toEqual(all.map(({ number }) => number));
      }
    });

    it('find stored entries by prefix, whatever their keys look like', async () => {
      const { cache, diagnostics } = await open(client());
      await open(client(), 'other').then(({ cache: other }) => other.getOrSet('user:1', () => 1));
      const keys = ['user', 'user:1', 'user:1:a', 'user:10', 'user\\:1', 'u*er:1', 'u?er:1', '[u]ser:1', 'a:user:1'];
      for (const name of keys) await cache.getOrSet(name, () => name);
      const shaped = cache.query({ name: 'shaped', load: (id: string) => id, version: 2 });
      await shaped('1');
      await stored(subject.admin, keys.length + 2);
      await waitUntil(async () => (await walk(diagnostics, '', 100)).length === keys.length + 1);
      expect(await walk(diagnostics, '', 3)).toEqual([...keys, '\\v2:shaped:1'].sort());
      expect(await walk(diagnostics, 'user', 100)).toEqual(['user', 'user:1', 'user:10', 'user:1:a']);
      expect(await walk(diagnostics, 'user:1', 2)).toEqual(['user:1', 'user:1:a']);
      expect(await walk(diagnostics, 'u*er', 100)).toEqual(['u*er:1']);
      expect(await walk(diagnostics, 'u?er:1', 100)).toEqual(['u?er:1']);
      expect(await walk(diagnostics, '[u]ser', 100)).toEqual(['[u]ser:1']);
      expect(await walk(diagnostics, 'shaped', 100)).toEqual(['\\v2:shaped:1']);
      await expect(diagnostics.places('', 'nonsense', 10)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    });

    it('walk through many keys in pages, and meet each', async () => {
      const { diagnostics } = await open(client());
      const names = Array.from({ length: 3_000 }, (_, i) => `shop:v:item:${i}`);
      await subject.admin.mset(Object.fromEntries(names.map((name) => [name, 'x'])));
      const first = await diagnostics.places('item', undefined, 50);
      expect(first.places.length).toBeGreaterThan(0);
      expect(first.places.length).toBeLessThan(500);
      expect(await walk(diagnostics, 'item', 50)).toHaveLength(3_000);
    });

    it('know whether there is a log, without making one', async () => {
      const part = redis({ client: client(), timeout: '2s' });
      const context = partContext(systemClock, { name: 'nobody', random: systemRandom() });
      const diagnostics = part.diagnostics(context) as Diagnostics & { close(): Promise<void> };
      ends.push(() => diagnostics.close());
      expect(await diagnostics.exists()).toBe(false);
      expect(await diagnostics.records(10)).toEqual([]);
      expect(await subject.admin.keys('*')).toEqual([]);
      await open(client(), 'nobody');
      expect(await diagnostics.exists()).toBe(true);
    });

    it('name the logs of a server', async () => {
      await open(client(), 'shop');
      await open(client(), 'staging:shop');
      await subject.admin.set('{text}:log', 'not a log');
      await subject.admin.hset('other:log', 'a', '1');
      expect(await logNames({ client: client() })).toEqual(['shop', 'staging:shop']);
    });
  });

  it('show records of the present epoch alone', async () => {
    const { cache, diagnostics } = await open(
      clientFamilies[0]?.standalone({ port: subject.server.port }) as RedisClient,
    );
    await cache.invalidate(key('a'));
    expect(await diagnostics.records(10)).toHaveLength(1);
    await subject.admin.del('{shop}:table');
    // Found by the next proof; what this node has made is appended again.
    await cache.invalidate(key('b'));
    await waitUntil(async () => (await diagnostics.records(10)).some(({ targets }) => targets?.[0] === 'key b'));
    const epoch = await subject.admin.hget('{shop}:log', 'epoch');
    await waitUntil(() => cache.status().position.includes(epoch ?? '-'));
    await cache.invalidate([pattern('x*'), everything()]);
    const [newest] = await diagnostics.records(1);
    expect(newest).toMatchObject({ kind: 'everything', targets: ['pattern x*', 'everything'] });
  });

  it('reject at once when the server is gone or the cache closed, and never keep a reader waiting', async () => {
    const made = clientFamilies[0]?.standalone({ port: subject.server.port }) as RedisClient;
    const { cache, diagnostics } = await open(made);
    await cache.close();
    await expect(diagnostics.server()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(diagnostics.places('', undefined, 10)).rejects.toMatchObject({ code: 'CLOSED' });
    const gone = redis({ url: 'redis://127.0.0.1:1' });
    const other = createCache({ name: 'shop', ...gone });
    ends.push(() => other.close());
    await expect(other.parts.diagnostics?.server()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(other.parts.reports?.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(logNames({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('are asked on a connection of their own: one that hangs there harms no reader', async () => {
    const made = clientFamilies[0]?.standalone({ port: subject.server.port }) as RedisClient;
    const { cache, diagnostics } = await open(made);
    await diagnostics.exists();
    const lines = String(await subject.admin.client('LIST')).split('\n');
    const tools = lines.filter((line) => line.includes('cmd=hget')).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '');
    expect(tools).toHaveLength(1);
    let detached = 0;
    cache.on(({ type }) => (detached += type === 'detached' || type === 'store-failed' ? 1 : 0));
    await subject.admin.client('KILL', 'ID', tools[0] ?? '');
    await waitUntil(() => diagnostics.exists().catch(() => false));
    await cache.getOrSet('a', () => 1);
    expect([detached, cache.status().attached]).toEqual([0, true]);
  });
});

describe('in a Cluster', () => {
  let cluster: RedisCluster;
  let admins: Redis[];
  beforeAll(async () => {
    cluster = await startCluster();
    admins = cluster.ports.map((port) => new Redis(port));
  }, 60_000);
  afterAll(async () => {
    for (const admin of admins) admin.disconnect();
    await cluster.stop();
  });
  afterEach(async () => {
    await Promise.all(admins.map((admin) => admin.flushall()));
  });

  it.each(clientFamilies)(
    'look at every server for entries and logs, with $name',
    async (family) => {
      const client = (): RedisClient => {
        const made = family.cluster(cluster.ports);
        ends.push(() => family.end(made));
        return made;
      };
      const { cache, diagnostics } = await open(client());
      await open(client(), 'other');
      await open(client(), 'third');
      const names = Array.from({ length: 40 }, (_, i) => `user:${i}`).sort();
      await Promise.all(names.map((name) => cache.getOrSet(name, () => name)));
      await waitUntil(async () => (await walk(diagnostics, 'user', 100)).length === names.length, patient);
      const held = await Promise.all(admins.map(async (admin) => (await admin.keys('shop:v:*')).length));
      expect(held.every((count) => count > 0)).toBe(true);
      expect(await walk(diagnostics, 'user', 1)).toEqual(names);
      expect(await walk(diagnostics, 'user:7', 10)).toEqual(['user:7']);
      await cache.invalidate(tag('t'));
      expect(await diagnostics.records(10)).toMatchObject([{ targets: ['tag t'] }]);
      expect((await diagnostics.server()).role).toBe('primary');
      expect(await logNames({ client: client() })).toEqual(['other', 'shop', 'third']);
      const reports = cache.parts.reports;
      await reports?.publish('a', 'fine', 60_000);
      expect(await reports?.list()).toMatchObject([{ node: 'a', report: 'fine' }]);
    },
    30_000,
  );
});

const patient = { timeout: 10_000, every: 20 } as const;
