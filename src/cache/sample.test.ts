import { describe, expect, it } from 'vitest';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createCache } from './cache.ts';
import type { CacheEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import type { Sample } from './sample.ts';
import { TIMED_ONE_IN } from './tally.ts';

function setUp() {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, store: memoryStore()({ clock }) });
  let source = 1;
  const users = cache.query({ name: 'user', load: (id: number) => ({ id, source }) });
  return { cache, clock, users, change: () => void source++ };
}

async function times(count: number, read: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await read();
}

describe('counts', () => {
  it('every hit of memory, by query, and those by key apart', async () => {
    const { cache, users } = setUp();
    await times(10, () => users(1));
    await users.read(1);
    await times(4, () => cache.getOrSet('k', () => 1));
    expect(cache.counts()).toEqual([
      { query: undefined, memoryHits: 3, storeHits: 0, promotions: 0 },
      { query: 'user', memoryHits: 10, storeHits: 0, promotions: 0 },
    ]);
  });

  it('hits of the store, and what get() finds', async () => {
    const { cache, clock, users } = setUp();
    const store = memoryStore()({ clock });
    const [a, b] = [1, 2].map(() => createCache({ name: 'test', clock, store, memory: false }));
    await a?.getOrSet('k', () => 1);
    await clock.advance(0);
    expect(await a?.get('k')).toBe(1);
    expect(a?.counts()).toEqual([{ query: undefined, memoryHits: 0, storeHits: 1, promotions: 0 }]);
    await b?.getOrSet('k', () => 1);
    await users(1);
    expect(await cache.get('user:1')).toEqual({ id: 1, source: 1 });
    expect(cache.counts()[0]).toEqual({ query: undefined, memoryHits: 1, storeHits: 0, promotions: 0 });
  });
});

describe('timed reads', () => {
  it('are one in so many of those that memory answers, and every other', async () => {
    const { cache, users } = setUp();
    await users(1);
    const events: CacheEvent[] = [];
    const end = cache.on((event) => void events.push(event), { except: ['hit'] });
    await times(TIMED_ONE_IN * 3, () => users(1));
    expect(events).toEqual(
      Array.from({ length: 3 }, () => ({
        type: 'read',
        key: 'user:1',
        query: 'user',
        from: 'memory',
        stale: false,
        ms: 0,
      })),
    );
    await users(2);
    expect(events.filter(({ type }) => type === 'read').at(-1)).toMatchObject({ key: 'user:2', from: 'loader' });
    end();
    const before = events.length;
    await times(TIMED_ONE_IN, () => users(1));
    expect(events).toHaveLength(before);
  });

  it('are not made for whoever does without', async () => {
    const { cache, users } = setUp();
    const types = new Set<string>();
    cache.on(({ type }) => void types.add(type), { except: ['hit', 'read'] });
    await times(TIMED_ONE_IN + 1, () => users(1));
    expect([...types]).toEqual(['miss', 'loaded', 'stored']);
  });

  it('are also those by key', async () => {
    const { cache } = setUp();
    const froms: string[] = [];
    cache.on((event) => void (event.type === 'read' && froms.push(event.from)));
    await times(TIMED_ONE_IN + 1, () => cache.getOrSet('k', () => 1));
    expect(froms).toEqual(['loader', 'memory']);
  });
});

describe('samples', () => {
  it('can be compared with their source, and judged by the rule', async () => {
    const { cache, users, change } = setUp();
    const samples: Sample[] = [];
    const end = cache.onSample((sample) => void samples.push(sample));
    await times(TIMED_ONE_IN + 1, () => users(1));
    expect(samples.map(({ from, query }) => [from, query])).toEqual([
      ['loader', 'user'],
      ['memory', 'user'],
    ]);
    const sample = samples[1] as Sample;
    expect(sample).toMatchObject({
      key: 'user:1',
      value: { id: 1, source: 1 },
      stale: false,
      mark: expect.any(String),
    });
    expect(sample.agrees(await sample.load())).toBe(true);
    change();
    expect(sample.agrees(await sample.load())).toBe(false);
    expect(await users(1)).toEqual({ id: 1, source: 1 });
    expect(sample.cover()).toBeUndefined();
    await cache.invalidate(key('user', 1));
    expect(sample.cover()).toBe('label');
    end();
    await times(TIMED_ONE_IN * 2, () => users(1));
    expect(samples).toHaveLength(2);
  });

  it('of values that were loaded together are loaded one by one', async () => {
    const { cache } = setUp();
    let source = 1;
    const rows = cache.query({
      name: 'row',
      load: (id: number) => id * 10 + source,
      loadMany: (list) => list.map(([id]) => id * 10 + source),
    });
    const samples: Sample[] = [];
    cache.onSample((sample) => void samples.push(sample));
    expect(await rows.many([[1], [2]])).toEqual([11, 21]);
    source = 2;
    expect(await Promise.all(samples.map((it) => it.load()))).toEqual([12, 22]);
  });

  it('say what they depend on, whether the process has loads enough, and load nothing for a cache that is closed', async () => {
    const clock = new FakeClock();
    const cache = createCache({ name: 'test', clock, loads: { concurrency: 2 } });
    const samples: Sample[] = [];
    cache.onSample((sample) => void samples.push(sample));
    await cache.getOrSet('a:b', () => 1, { tags: ['t'] });
    const [sample] = samples as [Sample];
    expect(sample.labels().map(({ name, covers }) => [name, covers])).toEqual([
      ['key a:b', false],
      ['key a', false],
      ['tag t', false],
    ]);
    await cache.invalidate(tag('t'));
    expect(sample.labels().map(({ covers }) => covers)).toEqual([false, false, true]);
    expect(sample.busy()).toBe(false);
    const ends: (() => void)[] = [];
    const hanging = ['x', 'y'].map((it) =>
      cache.getOrSet(it, () => new Promise<number>((end) => ends.push(() => end(1)))),
    );
    expect(sample.busy()).toBe(true);
    for (const end of ends) end();
    await Promise.all(hanging);
    expect(sample.busy()).toBe(false);
    await cache.close();
    await expect(sample.load()).rejects.toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('are made for those who want them, and only then', async () => {
    const { cache, clock, users } = setUp();
    const asked: unknown[] = [];
    const taken: string[] = [];
    const end = cache.onSample(({ key }) => void taken.push(key), {
      wants: (query, at) => {
        asked.push([query, at - clock.monotonic()]);
        return query === 'user';
      },
    });
    await cache.getOrSet('k', () => 1);
    await times(TIMED_ONE_IN + 1, () => users(1));
    expect(asked).toEqual([
      [undefined, 0],
      ['user', 0],
      ['user', 0],
    ]);
    expect(taken).toEqual(['user:1', 'user:1']);
    const all: string[] = [];
    cache.onSample(({ key }) => void all.push(key));
    await cache.getOrSet('j', () => 1);
    end();
    await users(2);
    expect([asked.length, taken.length, all]).toEqual([4, 2, ['j', 'user:2']]);
  });

  it('harm nobody where a listener throws', async () => {
    const { cache, users } = setUp();
    const fails = (): never => {
      throw new Error('no');
    };
    const end = cache.onSample(fails);
    expect(await users(1)).toEqual({ id: 1, source: 1 });
    end();
    cache.onSample(fails, { wants: fails });
    expect(await users(2)).toEqual({ id: 2, source: 1 });
  });
});
