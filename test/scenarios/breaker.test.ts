import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../../src/index.ts';
import { type CircuitBreaker, createBreaker } from '../../src/operations/index.ts';
import { redis } from '../../src/redis/index.ts';
import { Gate } from '../../src/testing/gate.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const NODES = 6;
const OPEN_FOR = 400;

interface Member {
  readonly cache: Cache;
  readonly breaker: CircuitBreaker;
}

let server: RedisServer;
let fleet: Member[];
/** What the fleet calls: counts what reaches it. */
let dependency: { down: boolean; calls: number; now: number; most: number };

beforeEach(async () => {
  server = await startRedis();
  dependency = { down: false, calls: 0, now: 0, most: 0 };
  fleet = Array.from({ length: NODES }, (_, i) => member(`node${i}`));
  await Promise.all(fleet.map(({ cache }) => cache.ready({ timeout: '10s' })));
  await Promise.all(fleet.map(({ breaker }) => breaker.run(ask)));
  dependency.calls = 0;
});

afterEach(async () => {
  await Promise.all(fleet.map(({ breaker }) => breaker.close()));
  await Promise.all(fleet.map(({ cache }) => cache.close({ drain: 0 })));
  await server.stop();
});

function member(node: string): Member {
  const cache = createCache({ name: 'shop', ...redis({ url: server.url, timeout: '2s' }) });
  const breaker = createBreaker({
    ...{ name: 'billing', board: cache.breakers, node, opens: { inARow: 3 } },
    ...{ openFor: OPEN_FOR, timeout: '500ms' },
  });
  return { cache, breaker };
}

const at = (i: number): Member => fleet[i] as Member;

/** Takes a turn of the event loop, as a call to a dependency does. */
async function ask(): Promise<string> {
  dependency.calls++;
  dependency.most = Math.max(dependency.most, ++dependency.now);
  await new Promise((resolve) => setImmediate(resolve));
  dependency.now--;
  if (dependency.down) throw new Error('down');
  return 'up';
}

async function discover({ breaker }: Member): Promise<void> {
  dependency.down = true;
  for (let i = 0; i < 3; i++) await breaker.run(ask).catch(() => {});
  expect(breaker.state).toBe('open');
  await waitUntil(async () => (await at(NODES - 1).cache.breakers.read('billing')).open);
}

/** Every node calls until all of them are in this state. */
async function until(state: CircuitBreaker['state'], members: readonly Member[] = fleet): Promise<void> {
  await waitUntil(
    async () => {
      await Promise.all(members.map(({ breaker }) => breaker.run(ask).catch(() => {})));
      return members.every(({ breaker }) => breaker.state === state);
    },
    { what: `all to be ${state}` },
  );
}

describe('a dependency that dies, with a fleet and its board on Redis', () => {
  it('is found out by one, and asked no more by the others', async () => {
    await discover(at(0));
    expect(dependency.calls).toBe(3);
    // Each asks the board with the first of its calls, and may go through until it is answered.
    await Promise.all(fleet.slice(1).map(({ breaker }) => breaker.run(ask).catch(() => {})));
    await waitUntil(() => {
      for (const { breaker } of fleet) void breaker.run(async () => 'looked').catch(() => {});
      return fleet.every(({ breaker }) => breaker.state === 'open');
    });
    expect(dependency.calls).toBeLessThanOrEqual(3 + (NODES - 1));
    const reached = dependency.calls;
    const refused = await Promise.all(
      fleet.map(({ breaker }) => breaker.run(ask).catch((error: unknown) => (error as { code: string }).code)),
    );
    expect(new Set(refused)).toEqual(new Set(['BREAKER_OPEN']));
    expect(dependency.calls).toBe(reached);
    expect(fleet.map(({ breaker }) => breaker.status().openedBy)).toEqual(fleet.map(() => 'node0'));
  });

  it('is probed by one call of the fleet at a time, and is back for all when that succeeds', async () => {
    await discover(at(0));
    await until('open');
    dependency.most = 0;
    let probes = 0;
    for (const { breaker } of fleet) breaker.on(({ type }) => (probes += type === 'probing' ? 1 : 0));
    // Three probes fail: so many times its time was over.
    await waitUntil(async () => {
      await Promise.all(fleet.map(({ breaker }) => breaker.run(ask).catch(() => {})));
      return probes >= 3;
    });
    expect(dependency.most).toBe(1);
    dependency.down = false;
    await waitUntil(async () => {
      await Promise.all(fleet.map(({ breaker }) => breaker.run(ask).catch(() => {})));
      return fleet.some(({ breaker }) => breaker.state === 'closed');
    });
    await until('closed');
    expect(fleet.map(({ breaker }) => breaker.status().openedBy)).toEqual(fleet.map(() => null));
    expect(probes).toBeLessThanOrEqual(5);
  });

  it('is probed by another, when the one that probes dies', async () => {
    await discover(at(0));
    await until('open', fleet.slice(0, 2));
    dependency.down = false;
    const hanging = new Gate();
    let began = false;
    const dying = at(0).breaker;
    const probe = waitUntil(() => {
      void dying
        .run(async () => {
          began = true;
          await hanging.promise;
        })
        .catch(() => {});
      return began;
    });
    await probe;
    // Its process is gone: nothing is told any more.
    const gone = at(0);
    await Promise.all([gone.breaker.close(), gone.cache.close({ drain: 0 })]);
    dependency.calls = 0;
    const survivor = at(1).breaker;
    await survivor.run(ask).catch(() => {});
    expect(dependency.calls).toBe(0);
    await until('closed', [at(1)]);
    hanging.open();
  });

  it('is found out by each alone while Redis is gone, and nobody waits for it', async () => {
    await server.kill();
    await waitUntil(async () => {
      await Promise.all(fleet.map(({ breaker }) => breaker.run(async () => 'looked').catch(() => {})));
      return fleet.every(({ breaker }) => breaker.status().board === 'down');
    });
    dependency.down = true;
    for (const { breaker } of fleet) for (let i = 0; i < 3; i++) await expect(breaker.run(ask)).rejects.toThrow('down');
    expect(fleet.map(({ breaker }) => breaker.status())).toMatchObject(
      fleet.map((_, i) => ({ state: 'open', openedBy: `node${i}`, board: 'down' })),
    );
    dependency.down = false;
    await until('closed');
  });
});

describe('a breaker around the store', () => {
  it('spares readers a Redis that is gone, and is closed again when it is back', async () => {
    const parts = redis({ url: server.url, timeout: '2s' });
    const made: CircuitBreaker[] = [];
    const cache = createCache({
      ...{ name: 'guarded', ...parts },
      breaker: (context) => {
        const board = parts.breakers(context);
        const breaker = createBreaker({ name: 'store', board, opens: { inARow: 2 }, openFor: OPEN_FOR });
        made.push(breaker);
        return breaker;
      },
    });
    fleet.push({ cache, breaker: made[0] as CircuitBreaker });
    await cache.ready({ timeout: '10s' });
    let loads = 0;
    const read = (): Promise<number> => cache.getOrSet(`key:${++loads}`, () => loads);
    const refusals: unknown[] = [];
    cache.on((event) => event.type === 'store-failed' && refusals.push((event.error as { code?: string }).code));
    expect(await read()).toBe(1);
    await server.kill();
    await waitUntil(async () => {
      await read();
      return refusals.includes('BREAKER_OPEN');
    });
    expect(made[0]?.status()).toMatchObject({ state: 'open' });
    await server.restart();
    await waitUntil(async () => {
      await read();
      return made[0]?.state === 'closed';
    });
    await cache.ready({ timeout: '10s' });
  });
});
