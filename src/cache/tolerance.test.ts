import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog, memoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { GetOptions } from './call-options.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { LoadContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

// What a reader may be given although it is old, because it asked for that: grace, soft timeout, maxStaleness, eager
// refresh, whenDetached.

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, random: new SeededRandom(1).next, ...options });
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  const all = <T extends CacheEvent['type']>(type: T) =>
    events.filter((event): event is Extract<CacheEvent, { type: T }> => event.type === type);
  return { clock, cache, all };
}

/** On a node that follows its log over connections. */
async function setUpRemote(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new FaultyLog(new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random }));
  const { cache, all } = setUp({ clock, random, log, ...options });
  await cache.ready();
  return { clock, log, cache, all };
}

const down = new Error('the database is down');
const failing = (): never => {
  throw down;
};

describe('a tolerance', () => {
  it.each<[string, GetOptions]>([
    ['maxStaleness', { maxStaleness: '10s' }],
    ['grace', { grace: '10s' }],
  ])('of %s is not counted from a check that did not look at this reader’s tags', async (_name, options) => {
    const { clock, cache } = setUp();
    await cache.getOrSet('k', () => 'old');
    await cache.invalidate(tag('t'));
    await clock.advance(20_000);
    expect(await cache.getOrSet('k', failing)).toBe('old'); // without the tag nothing covers it
    await expect(cache.getOrSet('k', failing, { ...options, tags: ['t'] })).rejects.toBe(down);
  });
});

describe('grace', () => {
  it('lets the old value stand in for a loader that fails, and says so', async () => {
    const { clock, cache, all } = setUp();
    const options = { ttl: '10s', grace: '5s' } as const;
    const user = cache.query({ name: 'user', load: () => 'old', ...options });
    await user();
    await clock.advance(12_000);
    expect(await cache.getOrSet('user', failing, options)).toBe('old');
    expect(all('stale')).toEqual([{ type: 'stale', key: 'user', why: 'grace', error: down }]);
    expect(all('load-failed')).toEqual([{ type: 'load-failed', key: 'user', ms: 0, error: down }]);
  });

  it('lets what the store has stand in, for a process that has nothing yet', async () => {
    const shared = { log: memoryLog(), store: memoryStore() };
    const options = { ttl: '10s', grace: '1h' } as const;
    const { clock, cache } = setUp(shared);
    await cache.getOrSet(['k', 1], () => 'old', options);
    await cache.getOrSet(['k', 2], () => 'old', options);
    await clock.advance(11_000);
    const { cache: restarted, all } = setUp({ ...shared, clock });
    expect(await restarted.getOrSet(['k', 1], failing, options)).toBe('old');
    expect(all('stale')).toEqual([{ type: 'stale', key: 'k:1', why: 'grace', error: down }]);
    await expect(restarted.getOrSet(['k', 2], failing, { ttl: '10s' })).rejects.toBe(down);
    await cache.invalidate(key('k', 2));
    await expect(restarted.getOrSet(['k', 2], failing, options)).rejects.toBe(down);
    await clock.advance(3_600_000);
    await expect(restarted.getOrSet(['k', 1], failing, options)).rejects.toBe(down);
  });

  it('is added to the ttl: it begins when that ends, and ends when it is over', async () => {
    const { clock, cache, all } = setUp();
    const read = () => cache.getOrSet('k', failing, { ttl: '10s', grace: '1s' });
    await cache.getOrSet('k', () => 'old', { ttl: '10s', grace: '1s' });
    await clock.advance(9_999);
    expect(await read()).toBe('old');
    expect(all('load-failed')).toHaveLength(0);
    await clock.advance(1_000);
    expect(await read()).toBe('old');
    expect(all('load-failed')).toHaveLength(1);
    await clock.advance(1);
    await expect(read()).rejects.toBe(down);
  });

  it('is none unless asked for', async () => {
    const { clock, cache } = setUp();
    await cache.getOrSet('k', () => 'old', { ttl: '10s', grace: '5s' });
    await clock.advance(10_000);
    await expect(cache.getOrSet('k', failing)).rejects.toBe(down);
  });

  it('never keeps a loader that works from being asked', async () => {
    const { clock, cache, all } = setUp();
    const options = { ttl: '10s', grace: '1h' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(10_000);
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new');
    await cache.invalidate(key('k'));
    expect(await cache.getOrSet('k', () => 'newer', options)).toBe('newer');
    expect(all('stale')).toHaveLength(0);
  });

  it('counts for what was invalidated from when it was last proven valid', async () => {
    const { clock, cache } = setUp();
    const read = () => cache.getOrSet('k', failing, { grace: '10s' });
    await cache.getOrSet('k', () => 'old');
    await clock.advance(1_000);
    await cache.getOrSet('k', failing); // proven valid here
    await clock.advance(4_000);
    await cache.invalidate(key('k'));
    await clock.advance(6_000);
    expect(await read()).toBe('old');
    await clock.advance(1);
    await expect(read()).rejects.toBe(down);
  });

  it('is asked of the loader each time: nobody remembers that it failed', async () => {
    const { clock, cache } = setUp();
    const load = vi.fn(failing);
    const options = { ttl: '1s', grace: '1h' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(1_000);
    await cache.getOrSet('k', load, options);
    await cache.getOrSet('k', load, options);
    expect(load).toHaveBeenCalledTimes(2);
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new');
  });

  it('does not stand in for a reader that asks for a write', async () => {
    const { clock, cache } = setUp();
    await cache.getOrSet('k', () => 'old');
    const receipt = await cache.invalidate(key('k'));
    await clock.advance(1_000);
    await expect(cache.getOrSet('k', failing, { grace: '1h', atLeast: receipt })).rejects.toBe(down);
    await expect(
      cache.getOrSet('k', failing, { grace: '1h', maxStaleness: '1h', atLeast: receipt.token }),
    ).rejects.toBe(down);
  });

  it('may return what a falsy value is', async () => {
    const { clock, cache } = setUp();
    await cache.getOrSet('k', () => 0, { ttl: '1s' });
    await clock.advance(1_000);
    expect(await cache.getOrSet<number>('k', failing, { grace: '1s' })).toBe(0);
  });
});

describe('the hard timeout', () => {
  it('ends a load that hangs, for all who wait, and aborts its signal', async () => {
    const { clock, cache, all } = setUp();
    let signal: AbortSignal | undefined;
    const load = (ctx: LoadContext): Promise<string> => {
      signal = ctx.signal;
      return new Promise(() => {});
    };
    const readers = [1, 2].map(() => cache.getOrSet('k', load, { timeout: '2s' }));
    const outcomes = Promise.allSettled(readers);
    await clock.advance(1_999);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    const error = {
      code: 'LOAD_TIMEOUT',
      message:
        'The loader of "k" took longer than 2000 ms. Make it faster, raise `timeout`, or give `grace` so that an old value can stand in.',
    };
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: expect.objectContaining(error) as unknown },
      { status: 'rejected', reason: expect.objectContaining(error) as unknown },
    ]);
    expect(signal?.reason).toMatchObject(error);
    expect(all('load-failed')).toHaveLength(1);
    expect(cache.status().loading).toBe(0);
  });

  it('aborts a signal that the loader looks at only afterwards', async () => {
    const { clock, cache } = setUp();
    const contexts: LoadContext[] = [];
    const load = (ctx: LoadContext) => {
      contexts.push(ctx);
      return new Promise<never>(() => {});
    };
    const reader = cache.getOrSet('k', load, { timeout: 10 });
    reader.catch(() => {});
    await clock.advance(10);
    expect(contexts[0]?.signal.aborted).toBe(true);
  });

  it('is 30 seconds unless somebody says otherwise', async () => {
    const { clock, cache } = setUp();
    const reader = cache.getOrSet('k', () => new Promise<never>(() => {}));
    await Promise.all([expect(reader).rejects.toThrow('took longer than 30000 ms'), clock.advance(30_000)]);
  });

  it('keeps what comes too late out of the cache', async () => {
    const { clock, cache } = setUp();
    const slow = new Gate<string>();
    const reader = cache.getOrSet('k', () => slow.promise, { timeout: '1s' });
    reader.catch(() => {});
    await clock.advance(1_000);
    slow.open('late');
    await clock.advance(0);
    expect(await cache.has('k')).toBe(false);
  });

  it('lets the old value stand in under grace', async () => {
    const { clock, cache, all } = setUp();
    await cache.getOrSet('k', () => 'old', { ttl: '1s' });
    await clock.advance(1_000);
    const reader = cache.getOrSet('k', () => new Promise<string>(() => {}), { timeout: '2s', grace: '1m' });
    await clock.advance(2_000);
    expect(await reader).toBe('old');
    expect(all('stale')).toMatchObject([{ why: 'grace', error: { code: 'LOAD_TIMEOUT' } }]);
  });
});

describe('the soft timeout', () => {
  it('returns the old value while the load goes on, which then is kept', async () => {
    const { clock, cache, all } = setUp();
    const options = { ttl: '1s', grace: '1m', softTimeout: '100ms' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(1_000);
    const slow = new Gate<string>();
    const answers: string[] = [];
    void cache.getOrSet('k', () => slow.promise, options).then((it) => answers.push(it));
    await clock.advance(99);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual(['old']);
    expect(all('stale')).toEqual([{ type: 'stale', key: 'k', why: 'softTimeout' }]);
    slow.open('new');
    await clock.advance(0);
    expect(await cache.get('k')).toBe('new');
  });

  it('says nothing where the load is faster', async () => {
    const { clock, cache, all } = setUp();
    const options = { ttl: '1s', grace: '1m', softTimeout: '100ms' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(1_000);
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new');
    await clock.advance(1_000);
    expect(all('stale')).toEqual([]);
  });

  it('counts for those who share the load, each from its own start', async () => {
    const { clock, cache } = setUp();
    const options = { ttl: '1s', grace: '1m', softTimeout: '100ms' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(1_000);
    const answers: string[] = [];
    const read = () =>
      void cache.getOrSet('k', () => new Promise<string>(() => {}), options).then((it) => answers.push(it));
    read();
    await clock.advance(60);
    read();
    await clock.advance(40);
    expect(answers).toEqual(['old']);
    await clock.advance(60);
    expect(answers).toEqual(['old', 'old']);
  });

  it('waits for the load where there is nothing that may stand in', async () => {
    const { clock, cache, all } = setUp();
    for (const options of [
      { softTimeout: 100, grace: '1m' },
      { softTimeout: 100, ttl: '1s' },
      { softTimeout: 0, ttl: '1s' },
    ] as const) {
      const name = JSON.stringify(options);
      if (!('grace' in options)) await cache.getOrSet([name], () => 'old', options);
      await cache.invalidate(key([name]));
      const slow = new Gate<string>();
      const reader = cache.getOrSet([name], () => slow.promise, options);
      await clock.advance(200);
      slow.open('new');
      expect(await reader).toBe('new');
    }
    expect(all('stale')).toEqual([]);
  });

  it('is not for a reader that asks for a write', async () => {
    const { clock, cache } = setUp();
    await cache.getOrSet('k', () => 'old');
    const receipt = await cache.invalidate(key('k'));
    const slow = new Gate<string>();
    const reader = cache.getOrSet('k', () => slow.promise, { softTimeout: 10, grace: '1h', atLeast: receipt });
    await clock.advance(1_000);
    slow.open('new');
    expect(await reader).toBe('new');
  });

  it('leaves no unhandled rejection when the load fails afterwards', async () => {
    const { clock, cache, all } = setUp();
    const options = { ttl: '1s', grace: '1m', softTimeout: '100ms' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(1_000);
    const slow = new Gate<string>();
    const reader = cache.getOrSet('k', () => slow.promise, options);
    await clock.advance(100);
    expect(await reader).toBe('old');
    slow.fail(down);
    await clock.advance(0);
    expect(all('load-failed')).toHaveLength(1);
  });
});

// "Every node refetches at once after a mass invalidation; the site goes down."
describe('maxStaleness', () => {
  it('returns at once what was valid a moment ago, and refreshes it once for all', async () => {
    const { clock, cache, all } = setUp();
    const slow = new Gate<string>();
    const load = vi.fn(() => slow.promise);
    const user = cache.query({ name: 'user', load, maxStaleness: '5s' });
    await cache.getOrSet('user', () => 'old');
    const { mark } = await user.read();
    await cache.invalidate(key('user'));
    await clock.advance(5_000);
    const reads = await Promise.all([user.read(), user.read(), user.read()]);
    const stale = { value: 'old', from: 'memory', stale: true, mark, age: 5_000 };
    expect(reads).toEqual([stale, stale, stale]);
    expect(load).toHaveBeenCalledTimes(1);
    expect(all('refresh')).toHaveLength(1);
    expect(all('stale')).toHaveLength(3);
    slow.open('new');
    await clock.advance(0);
    expect(await user.read()).toMatchObject({ value: 'new', stale: false });
  });

  it('waits for the load where it was valid longer ago, or there is nothing', async () => {
    const { clock, cache } = setUp();
    const options = { maxStaleness: '5s' } as const;
    expect(await cache.getOrSet('k', () => 'old', options)).toBe('old');
    await cache.invalidate(key('k'));
    await clock.advance(5_001);
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new');
  });

  it('goes for what has expired as well', async () => {
    const { clock, cache } = setUp();
    const options = { ttl: '10s', maxStaleness: '5s' } as const;
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(14_999);
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('old');
    await clock.advance(0);
    expect(await cache.getOrSet('k', () => 'newer', options)).toBe('new');
    await clock.advance(15_000);
    expect(await cache.getOrSet('k', () => 'newest', options)).toBe('newest');
  });

  // "Background refresh fails and clears the stale mark."
  it('does not get better by a refresh that fails', async () => {
    const { clock, cache, all } = setUp();
    const user = cache.query({ name: 'user', load: failing, maxStaleness: '5s' });
    await cache.getOrSet('user', () => 'old');
    await cache.invalidate(key('user'));
    await clock.advance(3_000);
    expect(await user.read()).toMatchObject({ value: 'old', stale: true });
    await clock.advance(0);
    expect(await user.read()).toMatchObject({ value: 'old', stale: true });
    await clock.advance(2_001);
    await expect(user()).rejects.toBe(down);
    expect(all('load-failed')).toHaveLength(3);
  });

  it('counts from when the node was last proven up to date, not from when the entry was checked', async () => {
    for (const { after, value } of [
      { after: 5_000, value: 'old' },
      { after: 5_001, value: 'new' },
    ]) {
      const { clock, log, cache } = await setUpRemote();
      await cache.getOrSet('k', () => 'old');
      log.stall('follow');
      const proven = 500; // by the reading that was under way
      await clock.advance(1_900);
      expect(await cache.getOrSet('k', () => 'unused')).toBe('old'); // attached still, and checked here
      await clock.advance(proven + after - 1_900);
      expect(await cache.getOrSet('k', () => 'new', { maxStaleness: '5s' })).toBe(value);
    }
  });

  it('is not for a reader that asks for a write', async () => {
    const { cache } = setUp();
    await cache.getOrSet('k', () => 'old');
    const receipt = await cache.invalidate(key('k'));
    expect(await cache.getOrSet('k', () => 'new', { maxStaleness: '1h', atLeast: receipt })).toBe('new');
  });
});

describe('eagerRefresh', () => {
  it('refreshes in the background what is hit late in its life, once', async () => {
    const { clock, cache, all } = setUp();
    const slow = new Gate<string>();
    const load = vi.fn(() => slow.promise);
    const user = cache.query({ name: 'user', load, ttl: '10s', eagerRefresh: 0.8 });
    await cache.getOrSet('user', () => 'old', { ttl: '10s' });
    await clock.advance(8_000);
    expect(await user()).toBe('old');
    expect(load).toHaveBeenCalledTimes(0);
    await clock.advance(1);
    expect(await Promise.all([user(), user(), user()])).toEqual(['old', 'old', 'old']);
    expect(load).toHaveBeenCalledTimes(1);
    expect(all('refresh')).toEqual([{ type: 'refresh', key: 'user', query: 'user' }]);
    slow.open('new');
    await clock.advance(0);
    expect(await user()).toBe('new');
    await clock.advance(7_999);
    expect(await user()).toBe('new');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['getOrSet', {}, { eagerRefresh: 0.5 }],
    ['the defaults of the cache', { defaults: { eagerRefresh: 0.5 } }, undefined],
  ] as const)('may be asked for by %s', async (_what, options, read) => {
    const { clock, cache, all } = setUp(options);
    await cache.getOrSet('k', () => 'old');
    await clock.advance(150_001);
    expect(await cache.getOrSet('k', () => 'new', read)).toBe('old');
    await clock.advance(0);
    expect(await cache.getOrSet('k', () => 'unused', read)).toBe('new');
    expect(all('refresh')).toHaveLength(1);
  });

  it('is none unless asked for', async () => {
    const { clock, cache, all } = setUp();
    await cache.getOrSet('k', () => 'old');
    await clock.advance(299_999);
    await cache.getOrSet('k', () => 'new');
    expect(all('refresh')).toEqual([]);
  });

  it('that fails is reported, and harms nobody', async () => {
    const { clock, cache, all } = setUp();
    const user = cache.query({ name: 'user', load: failing, ttl: '10s', eagerRefresh: 0.5 });
    await cache.getOrSet('user', () => 'old', { ttl: '10s' });
    await clock.advance(9_000);
    expect(await user()).toBe('old');
    await clock.advance(0);
    expect(await user.read()).toMatchObject({ value: 'old', stale: false });
    await clock.advance(0);
    expect(all('load-failed')).toHaveLength(2);
    expect(all('stale')).toEqual([]);
  });
});

describe('whenDetached', () => {
  it('load, the default: a node that cannot prove itself up to date loads', async () => {
    const { clock, log, cache, all } = await setUpRemote();
    await cache.getOrSet('k', () => 'old');
    log.cut('follow');
    await clock.advance(1);
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
    expect(all('miss').map((it) => it.reason)).toEqual(['absent', 'detached']);
  });

  // "The link that carries invalidations is half dead, data link alive."
  it('load: silence is not proof, so that after maxLag nothing is served', async () => {
    const { clock, log, cache } = await setUpRemote();
    const proven = 500; // by the reading that was under way
    log.stall('follow');
    await cache.getOrSet('k', () => 'old');
    await clock.advance(proven + 2_000);
    expect(await cache.getOrSet('k', () => 'unused')).toBe('old');
    await clock.advance(1);
    expect(cache.status().attached).toBe(false);
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
  });

  it('load: a machine that has slept does not serve what it had before', async () => {
    const { clock, log, cache } = await setUpRemote();
    await cache.getOrSet('k', () => 'old');
    log.stall('follow');
    clock.suspend(3_000);
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
  });

  it('serve: goes on with what was valid, for so long after maxLag, and says so', async () => {
    const { clock, log, cache, all } = await setUpRemote({ whenDetached: { serve: '10s' } });
    const user = cache.query({ name: 'user', load: () => 'new' });
    await cache.getOrSet('user', () => 'old');
    log.cut('follow'); // the last proof is of moment 0
    await clock.advance(12_000);
    expect(await user.read()).toMatchObject({ value: 'old', from: 'memory', stale: true, age: 12_000 });
    expect(all('stale')).toEqual([{ type: 'stale', key: 'user', query: 'user', why: 'detached' }]);
    await clock.advance(1);
    expect(await user.read()).toMatchObject({ value: 'new', from: 'loader' });
  });

  it('serve: not what has expired, not what this node has invalidated, not to a reader that asks for a write', async () => {
    const { clock, log, cache } = await setUpRemote({ whenDetached: { serve: '10s' } });
    await cache.getOrSet('expired', () => 'old', { ttl: '1s' });
    await cache.getOrSet('covered', () => 'old');
    await cache.getOrSet('asked', () => 'old');
    const receipt = await cache.invalidate(key('other'));
    log.cut('follow');
    await clock.advance(1_000);
    expect(await cache.getOrSet('expired', () => 'new')).toBe('new');
    const invalidated = cache.invalidate(key('covered'));
    await clock.advance(5_000);
    expect((await invalidated).status).toBe('appended');
    expect(await cache.getOrSet('covered', () => 'new')).toBe('new');
    const elsewhere = { atLeast: `${receipt.token}z` };
    expect(await cache.getOrSet('asked', () => 'new', elsewhere)).toBe('new');
  });

  it('serve: not while something is queued', async () => {
    const { clock, log, cache } = await setUpRemote({ whenDetached: { serve: '10s' } });
    await cache.getOrSet('k', () => 'old');
    log.cut('follow', 'append');
    const invalidated = cache.invalidate(key('other'));
    await clock.advance(1_000);
    expect((await invalidated).status).toBe('queued');
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
  });
});
