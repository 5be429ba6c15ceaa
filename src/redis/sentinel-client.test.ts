import { afterEach, expect, it } from 'vitest';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { type RedisSentinels, startSentinels } from '../../test/servers/redis-sentinels.ts';
import { waitUntil } from '../testing/wait-until.ts';
import type { RedisClient } from './client.ts';
import type { Connection } from './connection.ts';
import { checkClient, driverOf } from './driver.ts';
import { listOf, textOf } from './reply.ts';

let servers: RedisSentinels | undefined;
afterEach(() => servers?.stop());

/** Its Sentinel client has no `duplicate`, and keeps its options to itself. */
const unable = 'node-redis 5';
const able = clientFamilies.filter(({ name }) => name !== unable);

it('says which driver can instead, where one cannot', () => {
  const client = clientFamilies.find(({ name }) => name === unable)?.sentinel([1]) as RedisClient;
  expect(() => checkClient({ client })).toThrow(/node-redis 5 cannot be duplicated.*node-redis 6 or ioredis/);
});

it('each attempt asks the Sentinels for the primary, after a failover too, with every driver that can', async () => {
  servers = await startSentinels();
  const { primary, replica, ports } = servers;
  const all = await Promise.all(
    able.map(async (family) => {
      const client = family.sentinel(ports);
      const driver = await driverOf({ client });
      return { name: family.name, driver, connection: await driver.connect('k', 3_000) };
    }),
  );
  const portOf = async (connection: Connection): Promise<number> =>
    Number(/tcp_port:(\d+)/.exec(textOf(await connection.send(['INFO', 'server'])))?.[1]);
  for (const each of all) {
    expect(await portOf(each.connection)).toBe(primary.port);
    expect(await each.connection.send(['ECHO', 'x'])).toEqual(Buffer.from('x'));
  }

  await primary.kill();
  for (const each of all) await waitUntil(() => each.connection.closed, { what: `${each.name} to notice` });
  for (const each of all) {
    const found = await waitUntil<Connection | undefined>(
      async () => {
        const connection = await each.driver.connect('k', 1_000);
        const primaryNow = textOf(listOf(await connection.send(['ROLE']))[0]) === 'master';
        if (!primaryNow) connection.close();
        return primaryNow ? connection : undefined;
      },
      { timeout: 15_000, every: 50, what: `${each.name} to find the new primary` },
    );
    expect(found && (await portOf(found))).toBe(replica.port);
    found?.close();
    each.driver.close();
  }
}, 40_000);
