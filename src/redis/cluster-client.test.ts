import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../test/servers/redis-ask.ts';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { type RedisCluster, startCluster } from '../../test/servers/redis-cluster.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { slotOf } from './cluster-slot.ts';
import type { Commands, Connection, Driver } from './connection.ts';
import { driverOf } from './driver.ts';
import { textOf } from './reply.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ replicas: true });
}, 40_000);
afterAll(() => cluster.stop());

it('knows the slot of a key as the servers do', async () => {
  for (const key of ['', 'a', '{a}:log', 'x{a}y{b}', 'x{}y', 'x{', '{ü}', '{{a}}'])
    expect(slotOf(key)).toBe(await ask(cluster.ports[0] ?? 0, 'CLUSTER', 'KEYSLOT', key));
});

describe.each(clientFamilies)('a Cluster, with $name', (family) => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0).toReversed()) end();
  });

  const driver = async (): Promise<Driver> => {
    const client = family.cluster(cluster.ports);
    ends.push(() => family.end(client));
    const made = await driverOf({ client });
    ends.push(() => made.close());
    return made;
  };
  const connect = async (made: Driver, key: string): Promise<Connection> => {
    const connection = await made.connect(key, 2_000);
    ends.push(() => connection.close());
    return connection;
  };
  const spread = async (timeout: number): Promise<Commands> => {
    const commands = (await driver()).spread(timeout);
    if (commands === undefined) throw new Error('A Cluster is spread.');
    ends.push(() => commands.close());
    expect(commands.spread).toBe(true);
    return commands;
  };

  it('connects to the owner of the slot', async () => {
    const made = await driver();
    for (const key of ['{a}:log', '{b}:log', '{c}:log', '{d}:log']) {
      const connection = await connect(made, key);
      await connection.send(['SET', key, 'v']); // MOVED, if it were another
      expect(await connection.send(['GET', key])).toEqual(Buffer.from('v'));
    }
  });

  it('reads and writes keys of every server', async () => {
    const commands = await spread(2_000);
    const keys = Array.from({ length: 60 }, (_, i) => `${family.name} ${i}`);
    await Promise.all(keys.map((key) => commands.send(key, ['SET', key, Uint8Array.of(0, 255)])));
    for (const reply of await Promise.all(keys.map((key) => commands.send(key, ['GET', key]))))
      expect(reply).toEqual(Buffer.from([0, 255]));
    await expect(commands.send('k', ['EVALSHA', '0'.repeat(40), '1', 'k'])).rejects.toThrow(/^NOSCRIPT/);
  });

  it('waits once for a server that hangs, and uses it again when it answers', async () => {
    const commands = await spread(300);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const third = 16_384 / 3;
    const dead = keys.find((key) => slotOf(key) < third - 1) ?? '';
    const alive = keys.find((key) => slotOf(key) > third + 1) ?? '';
    await waitUntil(async () => (await commands.send(dead, ['SET', dead, '1'])) !== undefined);
    await waitUntil(async () => (await commands.send(alive, ['SET', alive, '1'])) !== undefined);
    const [owner] = cluster.primaries;
    owner?.signal('SIGSTOP');
    try {
      await expect(commands.send(dead, ['GET', dead])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const start = performance.now();
      await expect(commands.send(dead, ['GET', dead])).rejects.toThrow(/probed/);
      expect(performance.now() - start).toBeLessThan(150);
      expect(await commands.send(alive, ['GET', alive])).toEqual(Buffer.from('1'));
    } finally {
      owner?.signal('SIGCONT');
    }
    await waitUntil(async () => (await commands.send(dead, ['GET', dead])) !== undefined, { timeout: 15_000 });
  }, 30_000);
});

it('finds the owner after a failover, with every driver', async () => {
  const drivers = await Promise.all(
    clientFamilies.map(async (family) => {
      const driver = await driverOf({ client: family.cluster(cluster.ports) });
      return { name: family.name, driver, values: driver.spread(500) as Commands };
    }),
  );
  const key = '{c}:log';
  const owner = Math.floor(slotOf(key) / (16_384 / 3));
  for (const { values } of drivers)
    await waitUntil(async () => (await values.send(key, ['SET', key, 'x'])) !== undefined);
  await cluster.primaries[owner]?.kill();
  for (const { name, driver, values } of drivers) {
    await waitUntil(
      async () => {
        const connection = await driver.connect(key, 1_000);
        try {
          return textOf(await connection.send(['SET', key, name])) === 'OK';
        } finally {
          connection.close();
        }
      },
      { timeout: 20_000, every: 50, what: `${name} to find the new owner` },
    );
    expect(values.spread).toBe(true);
    const again = async (): Promise<boolean> => (await values.send(key, ['GET', key])) !== null;
    await waitUntil(again, { timeout: 20_000, every: 50, what: `values by ${name}` });
    values.close();
    driver.close();
  }
}, 90_000);
