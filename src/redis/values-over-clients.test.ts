import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6';
import { createClient, createCluster } from 'redis';
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { entryLabels } from '../coherence/label.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import type { RedisClient } from './client.ts';
import type { Commands } from './connection.ts';
import { lazyDriver } from './driver.ts';
import { redisKeys } from './keys.ts';
import { RedisLease } from './lease.ts';
import { Link } from './link.ts';
import { LinkedCommands } from './linked-commands.ts';
import { RedisStore } from './store.ts';

let server: RedisServer;
/** A Cluster of one server: it refuses commands across slots. */
let cluster: RedisServer;

beforeAll(async () => {
  const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  [server, cluster] = await Promise.all([startRedis(), startRedis({ args })]);
  const admin = new Redis(cluster.url);
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  await waitUntil(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  admin.disconnect();
});

afterAll(async () => {
  await Promise.all([server.stop(), cluster.stop()]);
});

const lazy = { lazyConnect: true };
const clients: readonly [string, () => RedisClient][] = [
  ['ioredis 5', () => new Redis(server.url, lazy)],
  ['ioredis 6', () => new Redis6(server.url, lazy)],
  ['node-redis 6', () => createClient({ url: server.url })],
  ['node-redis 5', () => createClient5({ url: server.url })],
  ['a Cluster of ioredis 5', () => new Cluster([{ host: '127.0.0.1', port: cluster.port }], lazy)],
  ['a Cluster of ioredis 6', () => new Cluster6([{ host: '127.0.0.1', port: cluster.port }], lazy)],
  ['a Cluster of node-redis 6', () => createCluster({ rootNodes: [{ url: cluster.url }] })],
  ['a Cluster of node-redis 5', () => createCluster5({ rootNodes: [{ url: cluster.url }] })],
];

describe.each(clients)('over %s', (client, make) => {
  /** Values, sets and leases under a name of their own. */
  async function run(work: (commands: Commands) => Promise<void>): Promise<void> {
    const driver = lazyDriver({ client: make() });
    const open = (ms: number): ReturnType<typeof driver.connect> => driver.connect('any', ms);
    const link = (): Link => new Link({ open, clock: systemClock, random: Math.random, timeout: 5_000 });
    const commands = driver.spread(5_000) ?? new LinkedCommands(link());
    try {
      await work(commands);
    } finally {
      commands.close();
      driver.close();
    }
  }

  it('values are kept, found by index sets, and counted', async () => {
    await run(async (commands) => {
      const store = new RedisStore({ keys: redisKeys(client), commands, eager: true, release: () => {} });
      const names = Array.from({ length: 300 }, (_, i) => `user:${i}`);
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const put = (name: string): Promise<void> => store.set(name, bytes, 60_000, entryLabels(name, ['blue']));
      await Promise.all(names.map(put));
      const found = await store.getMany(['user:7', 'none', 'user:8']);
      expect(found.map((it) => it && Buffer.from(it))).toEqual([Buffer.from(bytes), undefined, Buffer.from(bytes)]);
      expect(await store.remove(['user:7', 'user:7', 'none'])).toBe(1);
      expect(await store.reclaim?.([key('user:8'), pattern('user:?')])).toBe(9);
      expect(await store.reclaim?.([tag('blue')])).toBe(290);
      await put('last');
      expect(await store.reclaim?.([everything()])).toBe(1);
    });
  });

  it('a lease has one holder', async () => {
    await run(async (commands) => {
      const lease = new RedisLease({ keys: redisKeys(client), commands, random: systemRandom(), release: () => {} });
      const answers = await Promise.all(['k', 'k', 'k'].map((name) => lease.acquire(name, 60_000)));
      const holder = answers.find((answer) => answer.granted);
      expect(answers.filter((answer) => answer.granted)).toHaveLength(1);
      if (holder?.granted) await holder.release();
      expect((await lease.acquire('k', 60_000)).granted).toBe(true);
    });
  });
});
