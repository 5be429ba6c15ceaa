import { afterEach, beforeEach, expect, it } from 'vitest';
import { redisKeys } from '../../src/redis/keys.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import { clientFamilies, type ClientFamily } from '../servers/redis-clients.ts';
import { type RedisCluster, startCluster } from '../servers/redis-cluster.ts';
import type { RedisServer } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const [family] = clientFamilies as readonly [ClientFamily];

let servers: RedisCluster;
let fleet: Fleet;

beforeEach(async () => {
  servers = await startCluster({ replicas: true });
  fleet = new Fleet();
  for (let i = 0; i < 3; i++) fleet.join({ client: family.cluster(servers.ports) });
  await fleet.heal(ROWS);
}, 60_000);

afterEach(async () => {
  await fleet.close();
  await servers.stop();
});

/** The server that has a key now. */
async function holderOf(key: string): Promise<RedisServer> {
  const [first] = servers.primaries as readonly [RedisServer];
  const slot = Number(await ask(first.port, 'CLUSTER', 'KEYSLOT', key));
  const parts = (await ask(first.port, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const holder = parts.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
  return [...servers.primaries, ...servers.replicas].find(({ port }) => port === holder) as RedisServer;
}

it('the server of a Cluster that has the log dies: its replica begins another epoch, and nobody reads what is old', async () => {
  const holder = await holderOf(redisKeys('shop').log);
  const before = fleet.members.map((member) => member.count('epoch'));
  const end = fleet.busy(ROWS);
  await holder.kill();
  const isOver = (): boolean => fleet.members.every((member, i) => member.count('epoch') > (before[i] as number));
  await waitUntil(isOver, { timeout: 40_000, what: 'another epoch' });
  await end();
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  for (const member of fleet.members) expect(member.unsent()).toEqual([]);
}, 90_000);
