import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createCluster } from 'redis';
import { createCache } from '../cache/cache.ts';
import type { Diagnostics } from '../cache/diagnostics.ts';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { keyLabel } from '../coherence/label.ts';
import type { Draft } from '../coherence/record.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { partContext } from '../testing/part-context.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { type ClientFamily, clientFamilies } from '../../test/servers/redis-clients.ts';
import { startCluster } from '../../test/servers/redis-cluster.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import type { RedisBreakerBoard } from './breaker-board.ts';
import type { RedisClient } from './client.ts';
import type { RedisLease } from './lease.ts';
import { redis } from './redis.ts';
import type { RedisReports } from './reports.ts';
import type { RedisOptions } from './redis-options.ts';

// What the page says is what is tested.
const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
const [words = [], forCluster = [], forTools = []] = [...page.matchAll(/^(ACL SETUSER tidemark [^`]+)```/gm)].map(
  ([, rule = '']) => rule.trim().split(/\s+/),
);
const granted = words.filter((word) => word.startsWith('+')).map((word) => word.slice(1));

const user = { username: 'tidemark', password: 'secret' };
const patience = { timeout: '10s' } as const;
/** As short as may be: whoever waits for all nodes waits so long at first. */
const maxLag = 500;

let primary: RedisServer;
let replica: RedisServer;
let admin: Redis;
let clients: { readonly family: ClientFamily; readonly client: RedisClient }[] = [];

beforeAll(async () => {
  primary = await startRedis();
  replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  admin = new Redis(primary.url);
  await admin.call(...(words as [string, ...string[]]));
  await waitUntil(async () => (await admin.info('replication')).includes('state=online'));
}, 30_000);

afterAll(async () => {
  admin.disconnect();
  await Promise.all([primary.stop(), replica.stop()]);
});

beforeEach(async () => {
  await admin.flushall();
  await admin.script('FLUSH');
  await admin.call('ACL', 'LOG', 'RESET');
});

afterEach(() => {
  for (const { family, client } of clients) family.end(client);
  clients = [];
});

function parts(family: ClientFamily, options: Omit<RedisOptions, 'client' | 'url'> = {}) {
  const client = family.standalone({ port: primary.port, ...user });
  clients.push({ family, client });
  return redis({ client, timeout: '5s', ...options });
}

/** What the server has refused, but for the names that drivers give themselves. */
async function refused(): Promise<string[]> {
  const log = (await admin.call('ACL', 'LOG')) as readonly unknown[][];
  const found = log.map((entry) => {
    const at = (field: string): string => String(entry[entry.indexOf(field) + 1]);
    return `${at('reason')} ${at('object')}`;
  });
  return found.filter((line) => !line.startsWith('command client|'));
}

/** Everything that a cache does with all parts. */
async function live(family: ClientFamily): Promise<void> {
  const options = { reclaim: 'eager', replicas: 1, history: '1kb' } as const;
  const nodes = [1, 2].map(() =>
    createCache({ name: 'shop', maxLag, ...parts(family, options), loads: { fleet: 1 }, requestTimeout: '5s' }),
  );
  const [one, two] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  await Promise.all(nodes.map((cache) => cache.ready(patience)));
  // What a fill finds expired in an index set, it drops.
  await Promise.all(Array.from({ length: 16 }, (_, i) => admin.zadd(`shop:i:root.${i}`, 1, 'gone')));
  const slow = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('Ada'), 50));
  const both = nodes.map((cache) => cache.getOrSet('user:42', slow, { tags: ['org:7'] }));
  expect(await Promise.all(both)).toEqual(['Ada', 'Ada']);
  await Promise.all(Array.from({ length: 3 }, (_, i) => one.getOrSet(`user:${i}`, () => i, { tags: ['org:7'] })));
  await waitUntil(async () => (await admin.keys('shop:v:*')).length === 4);
  const names = ['user:0', 'user:1', 'user:2'];
  expect(await Promise.all(names.map((name) => two.get(name)))).toEqual([0, 1, 2]);
  const receipt = await two.invalidate([tag('org:7')], { acknowledged: 'everywhere' });
  expect(receipt).toMatchObject({ status: 'applied', everywhere: true, removed: 4 });
  for (let i = 0; i < 20; i++) await one.invalidate([key(`user:${i}`), pattern(`user:${i}*`)]);
  await one.invalidate([everything()]);
  expect(await two.get('user:42')).toBeUndefined();
  await Promise.all(nodes.map((cache) => cache.close()));
}

/** What the parts do besides: strict writes, reading past a follower that is down, loads that take long. */
async function ask(family: ClientFamily): Promise<void> {
  const context = partContext(systemClock, { name: 'shop', random: systemRandom() });
  const made = parts(family);
  const [log, check] = [made.log(context), made.check(context)];
  const draft = (id: string, kind: Draft['kind']): Draft => ({
    ...{ id: id.repeat(32), kind, origin: 'test', labels: [keyLabel('a')], patterns: [], time: 0 },
  });
  await log.append([draft('a', 'announce')]);
  expect((await check.check([keyLabel('a')])).announcements).toHaveLength(1);
  await log.append([{ ...draft('b', 'close'), closes: 'a'.repeat(32) }]);
  expect((await check.check([keyLabel('a')])).announcements).toEqual([]);
  // Somebody's `XTRIM` leaves no entry whose id could be compared.
  await admin.xtrim('{shop}:stream', 'MAXLEN', 0);
  await check.check([keyLabel('a')]);
  const lease = made.lease(context) as RedisLease;
  const answer = await lease.acquire('a', 60_000);
  expect(answer.granted && (await answer.extend(60_000))).toBe(true);
  if (answer.granted) await answer.release();
  const board = made.breakers(context);
  const { number } = await board.open('mail', { number: 0, by: 'test', time: 0 });
  const probe = await board.claim('mail', { number, by: 'test', time: 60_000 });
  expect(probe.granted && (await probe.succeeded()).open).toBe(false);
  const reports = made.reports(context) as RedisReports;
  await reports.publish('test#1', '{}', 60_000);
  expect(await reports.list()).toHaveLength(1);
  await reports.withdraw('test#1');
  await Promise.all([log.close(), lease.close(), (board as RedisBreakerBoard).close(), reports.close()]);
}

async function called(): Promise<string[]> {
  const stats = [...(await admin.info('commandstats')).matchAll(/^cmdstat_(\S+?):calls=(\d+),/gm)];
  return stats.filter(([, , calls]) => calls !== '0').map(([, name = '']) => name);
}

describe('a user with the least privileges of the page', () => {
  it.each(clientFamilies)(
    'is all that every part needs, with $name',
    async (family) => {
      await live(family);
      await ask(family);
      expect(await refused()).toEqual([]);
    },
    30_000,
  );

  it('has no privilege that is not used', async () => {
    await admin.config('RESETSTAT');
    const [family] = clientFamilies as [ClientFamily];
    await live(family);
    await ask(family);
    const used = await called();
    expect(granted.filter((name) => !used.includes(name))).toEqual([]);
  }, 30_000);

  it('reaches no other cache, and no command that shows or empties a server', async () => {
    const [family] = clientFamilies as [ClientFamily];
    const client = family.standalone({ port: primary.port, ...user });
    clients.push({ family, client });
    await family.connect(client);
    const asked = [
      ['GET', 'store:v:a'],
      ['HGETALL', '{store}:log'],
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
    ];
    for (const command of asked) await expect(family.ask(client, ...command)).rejects.toThrow('NOPERM');
  });

  it('needs three more for tools, and lets unknown what it may not ask', async () => {
    const [family] = clientFamilies as [ClientFamily];
    const cache = createCache({ name: 'shop', ...parts(family), requestTimeout: '5s' });
    onTestFinished(async () => void (await cache.close()));
    const diagnostics = cache.parts.diagnostics as Diagnostics;
    await cache.ready(patience);
    await cache.invalidate([tag('t')]);
    expect(await diagnostics.exists()).toBe(true);
    expect(await diagnostics.records(1)).toHaveLength(1);
    expect(await diagnostics.server()).toMatchObject({ role: 'primary', logBytes: undefined, logRecords: undefined });
    await expect(diagnostics.places('', undefined, 10)).rejects.toThrow('NOPERM');
    const tools = forTools.filter((word) => word.startsWith('+'));
    await admin.call(...(forTools as [string, ...string[]]));
    try {
      await admin.config('RESETSTAT');
      const report = await diagnostics.server();
      expect([report.logRecords, (report.logBytes ?? 0) > 2 ** 21]).toEqual([2, true]);
      expect(await diagnostics.places('', undefined, 10)).toMatchObject({ places: [] });
      const used = await called();
      expect(tools.filter((word) => !used.includes(word.slice(1)))).toEqual([]);
    } finally {
      await admin.call('ACL', 'SETUSER', 'tidemark', ...tools.map((word) => word.replace('+', '-')));
    }
  });

  it('needs one more in a Cluster, to look at it', async () => {
    const cluster = await startCluster();
    onTestFinished(() => cluster.stop());
    const admins = cluster.ports.map((port) => new Redis(port));
    for (const server of admins) {
      await server.call(...(words as [string, ...string[]]));
      await server.call(...(forCluster as [string, ...string[]]));
    }
    const rootNodes = cluster.ports.map((port) => ({ socket: { host: '127.0.0.1', port } }));
    const made = [
      new Cluster([...cluster.ports], { lazyConnect: true, redisOptions: user }).on('error', () => {}),
      createCluster({ rootNodes, defaults: user }).on('error', () => {}),
    ];
    const nodes = made.map((client) =>
      createCache({
        name: 'shop',
        maxLag,
        ...redis({ client, timeout: '5s', reclaim: 'eager' }),
        requestTimeout: '5s',
      }),
    );
    const [one, two] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    await Promise.all(nodes.map((cache) => cache.ready(patience)));
    const names = Array.from({ length: 20 }, (_, i) => `user:${i}`);
    const stored = async (): Promise<number> =>
      (await Promise.all(admins.map((it) => it.keys('shop:v:*')))).flat().length;
    for (const [writer, reader] of [
      [one, two],
      [two, one],
    ] as const) {
      await Promise.all(names.map((name) => writer.getOrSet(name, () => name, { tags: ['org:7'] })));
      await waitUntil(async () => (await stored()) === names.length);
      expect(await Promise.all(names.map((name) => reader.get(name)))).toEqual(names);
      await writer.invalidate([tag('org:7')], { acknowledged: 'everywhere' });
      expect(await reader.get('user:1')).toBeUndefined();
    }
    await Promise.all(nodes.map((cache) => cache.close()));
    for (const server of admins) server.disconnect();
  }, 60_000);
});
