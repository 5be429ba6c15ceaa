import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/cache/system-clock.ts';
import { type Cache, createCache, memoryLog, tag } from '../../src/index.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { RedisLease } from '../../src/redis/lease.ts';
import { RedisStore } from '../../src/redis/store.ts';
import { Gate } from '../../src/testing/gate.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { commandsTo, type ObservedCommands } from '../servers/redis-connection.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';

const NODES = 20;
const TAGS = { tags: ['org'] };
const keys = redisKeys('hot');

const shared = emptiedRedis();
let fleet: { readonly cache: Cache; readonly commands: ObservedCommands }[];

beforeEach(async () => {
  const log = memoryLog();
  fleet = Array.from({ length: NODES }, () => {
    const commands = commandsTo(shared.server.url);
    const store = new RedisStore({ keys, commands, eager: false, release: () => commands.close() });
    const lease = new RedisLease({ keys, commands, random: systemRandom(), release: () => {} });
    return { commands, cache: createCache({ name: 'hot', log, store, lease, requestTimeout: '5s' }) };
  });
  await Promise.all(fleet.map(({ cache }) => cache.ready()));
});

afterEach(async () => {
  await Promise.all(fleet.map(({ cache }) => cache.close()));
});

/** How often each node has asked for the lease. */
function asked(): number[] {
  return fleet.map(({ commands }) => commands.sent.filter(([, , , name]) => name === keys.lease('k')).length);
}

function readAll(load: () => Promise<number>): Promise<number[]> {
  return Promise.all(fleet.map(({ cache }) => cache.getOrSet('k', load, TAGS)));
}

const anyNode = (i: number): Cache => (fleet[i % NODES] as (typeof fleet)[number]).cache;

describe('a hot key that 20 nodes read', () => {
  it('is loaded once after its tag was invalidated, while all of them wait', async () => {
    for (let round = 1; round <= 5; round++) {
      await anyNode(round).invalidate(tag('org'));
      for (const { commands } of fleet) commands.sent.length = 0;
      const gate = new Gate();
      let loads = 0;
      const reads = readAll(async () => {
        loads++;
        await gate.promise;
        return round;
      });
      await waitUntil(() => asked().every((times) => times > 0));
      gate.open();
      expect(await reads).toEqual(Array.from({ length: NODES }, () => round));
      expect(loads).toBe(1);
    }
  });

  it('is not loaded again by a node that asks for the lease when it has just been given back', async () => {
    const gate = new Gate();
    const { commands } = fleet[1] as (typeof fleet)[number];
    const send = commands.send.bind(commands);
    commands.send = async (name, args) => {
      if (name === keys.lease('k')) await gate.promise;
      return send(name, args);
    };
    let loads = 0;
    const load = async (): Promise<number> => ++loads;
    // It has looked into the store, and found nothing.
    const late = anyNode(1).getOrSet('k', load, TAGS);
    await waitUntil(() => commands.sent.length > 0);
    expect(await anyNode(0).getOrSet('k', load, TAGS)).toBe(1);
    await waitUntil(async () => String(await shared.admin.get(keys.lease('k'))).startsWith('given back'));
    gate.open();
    expect(await late).toBe(1);
    expect(loads).toBe(1);
  });

  it('is looked for more and more seldom, the longer its load takes', async () => {
    await anyNode(0).invalidate(tag('org'));
    const gate = new Gate();
    const since = performance.now();
    const reads = readAll(async () => {
      await gate.promise;
      return 1;
    });
    await waitUntil(() => Math.max(...asked()) >= 6);
    const took = performance.now() - since;
    gate.open();
    await reads;
    // 5, 5, 5, 7, 11 ms and more between them; the greatest part of a longer load is waited in steps of 100 ms.
    expect(took).toBeGreaterThan(20);
  });

  it('is loaded once, twice at the worst, however short the load is', async () => {
    const loads: number[] = [];
    for (let round = 0; round < 50; round++) {
      await anyNode(round).invalidate(tag('org'));
      let count = 0;
      await readAll(async () => {
        count++;
        return round;
      });
      loads.push(count);
    }
    expect(Math.max(...loads)).toBeLessThanOrEqual(2);
  });
});
