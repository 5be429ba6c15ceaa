import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { redisKeys } from '../../src/redis/keys.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e'];
const keys = redisKeys('shop');

let server: RedisServer;
let fleet: Fleet;

beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru', '--maxmemory-samples', '1'] });
});

afterAll(() => server.stop());

afterEach(() => fleet.close());

/** Three nodes that have read every row. */
async function begin(options: { readonly slots?: number } = {}): Promise<Fleet> {
  await ask(server.port, 'FLUSHALL');
  fleet = new Fleet(options);
  for (let i = 0; i < 3; i++) fleet.join({ url: server.url });
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  return fleet;
}

/** How many lives of the log each node has seen. */
const epochs = (): number[] => fleet.members.map((member) => member.count('epoch'));

const del =
  (key: string): (() => Promise<unknown>) =>
  () =>
    ask(server.port, 'DEL', key);

const losses: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['everything, by FLUSHALL', () => ask(server.port, 'FLUSHALL')],
  ['everything, by a restart that keeps nothing', () => server.restart()],
  ...[keys.log, keys.stream, keys.table, keys.bans].map((key) => [key, del(key)] as const),
];

describe('losing what is on the server costs misses only', { timeout: 30_000 }, () => {
  for (const [what, strike] of losses) {
    it(`under load: ${what}`, async () => {
      await begin();
      const end = fleet.busy(ROWS);
      await strike();
      await waitUntil(() => epochs().every((count) => count === 2), { timeout: 10_000, what: 'another epoch' });
      await end();
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
    });

    it(`and a write right after it is not missed by anybody: ${what}`, async () => {
      await begin();
      const [writer, ...others] = fleet.members as [Member, ...Member[]];
      await strike();
      await writer.write('a');
      expect((await writer.read('a')).value).toBe(2);
      const see = async (member: Member): Promise<boolean> => (await member.read('a')).value === 2;
      for (const other of others) await waitUntil(() => see(other));
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
    });
  }

  it(`under load: ${keys.nodes}, which begins no epoch`, async () => {
    await begin();
    const end = fleet.busy(ROWS);
    await ask(server.port, 'DEL', keys.nodes);
    const nodes = async (): Promise<unknown> => ask(server.port, 'HLEN', keys.nodes);
    await waitUntil(async () => (await nodes()) === 4, { what: 'the nodes to enter the list again' });
    await end();
    expect(epochs()).toEqual([1, 1, 1]);
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });

  it('under load: keys of the log, evicted where memory is short', async () => {
    await begin({ slots: 4_096 });
    const end = fleet.busy(ROWS);
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory', '4mb');
    let pieces = 0;
    const isEvicted = async (): Promise<boolean> => {
      await ask(server.port, 'SETRANGE', `filler:${pieces++}`, '65536', '.');
      return epochs().every((count) => count > 2);
    };
    await waitUntil(isEvicted, { timeout: 10_000, every: 1, what: 'a key of the log to be evicted' });
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory', '0');
    await end();
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });

  it('and what is in the store is found again by a node that is new', async () => {
    await begin();
    await ask(server.port, 'FLUSHALL');
    await waitUntil(() => epochs().every((count) => count === 2));
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
    const late = fleet.join({ url: server.url });
    await late.ready();
    for (const row of ROWS) expect(await late.read(row)).toMatchObject({ value: 1, from: 'store' });
  });
});
