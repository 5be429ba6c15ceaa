import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog, memoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { tag } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { withContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

const NOTHING = { reads: 0, hits: 0, same: 0, changed: 0, differed: 0, unknown: 0 };

type ShadowEvent = Extract<CacheEvent, { type: 'shadow' }>;

/** A row, and a query of it in shadow mode. */
function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, ...options });
  const events: ShadowEvent[] = [];
  cache.on((event) => {
    if (event.type === 'shadow') events.push(event);
  });
  const row = { value: 'old', loads: 0, gate: undefined as Gate | undefined };
  const load = async (_id: number): Promise<unknown> => {
    row.loads++;
    const read = row.value;
    await row.gate?.promise;
    return read;
  };
  const query = cache.query({ name: 'q', load, ttl: '10m', mode: 'shadow' });
  const on = query.with({ mode: 'on' });
  return { clock, cache, events, row, load, query, on };
}

/** Over a log that can be cut off; two caches may follow it. */
async function overLink(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const link = new FaultyLog(log);
  const all = setUp({ clock, log: link, ...options });
  await all.cache.ready();
  return { ...all, clock, log, link };
}

describe('a read in shadow mode', () => {
  it('returns what was loaded for it, whatever the cache has', async () => {
    const { query, on, row } = setUp();
    expect(await query(1)).toBe('old');
    row.value = 'new';
    expect(await on(1)).toBe('old'); // nobody has invalidated it
    expect(await query(1)).toBe('new');
    expect(await query.read(1)).toMatchObject({ value: 'new', from: 'loader', stale: false });
    expect(await query.many([[1], [1]])).toEqual(['new', 'new']);
    expect(query.peek(1)).toBeUndefined();
    expect(row.loads).toBe(5);
  });

  it('fills the cache, under a mark from before its load', async () => {
    const { clock, cache, query, on, row } = setUp();
    row.gate = new Gate();
    const reading = query(1);
    await cache.invalidate(query.at(1));
    row.gate.open();
    await reading;
    row.gate = undefined;
    expect((await on.read(1)).from).toBe('loader');
    await query(2);
    await clock.advance(0);
    expect((await on.read(2)).from).toBe('memory');
  });

  it('leaves what would have been a hit as it is, so that it ages as it would have', async () => {
    const { clock, query, on, row } = setUp();
    await query(1);
    row.value = 'new';
    await query(1);
    await query(1);
    await clock.advance(2_000);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 3, hits: 2, differed: 2 });
    expect(on.peek(1)).toBe('old');
    await clock.advance(598_000);
    await query(1);
    expect(query.shadow()).toMatchObject({ reads: 4, hits: 2 });
    expect(on.peek(1)).toBe('new');
  });

  it('replaces what a hit would have refreshed', async () => {
    const { clock, cache, row, load } = setUp();
    const eager = cache.query({ name: 'eager', load, ttl: '10m', eagerRefresh: 0.5, mode: 'shadow' });
    await eager(1);
    await clock.advance(300_001);
    row.value = 'new';
    await eager(1);
    expect(eager.with({ mode: 'on' }).peek(1)).toBe('new');
  });

  it('shares its load with nobody, and tells its loader nothing that the cache has', async () => {
    const { cache, row } = setUp();
    const told = vi.fn<(previous: unknown, lsn: unknown) => void>();
    const query = cache.query({
      name: 'told',
      load: withContext(async (ctx, _id: number) => {
        told(ctx.previous, ctx.lsn);
        return row.loads++;
      }),
      mode: 'shadow',
    });
    const loaded = await Promise.all([query(1), query(1)]);
    expect(loaded).toEqual([0, 1]);
    await query(1);
    expect(told.mock.calls).toEqual(Array.from({ length: 3 }, () => [undefined, undefined]));
  });

  it('reads the primary where its reader knows of a write', async () => {
    const { cache, query: written } = setUp();
    const told = vi.fn<(lsn: unknown) => void>();
    const query = cache.query({ name: 'told', load: withContext(async (ctx) => told(ctx.lsn)), mode: 'shadow' });
    const receipt = await cache.invalidate(written.at(1));
    await query();
    await query.with({ atLeast: receipt })();
    await cache.session(receipt.token, () => query());
    expect(told.mock.calls).toEqual([[undefined], ['unknown'], ['unknown']]);
    await cache.close();
  });

  it('fails as its loader does: nothing stands in', async () => {
    const { cache, events, query, row } = setUp();
    let up = true;
    const failing = cache.query({
      name: 'failing',
      load: async () => (up ? 1 : Promise.reject(new Error('down'))),
      grace: '1h',
      maxStaleness: '1h',
      mode: 'shadow',
    });
    await failing();
    up = false;
    await expect(failing()).rejects.toThrow('down');
    await expect(failing.read()).rejects.toThrow('down');
    expect(failing.shadow()).toMatchObject({ reads: 1 });
    expect(events).toHaveLength(1);
    await expect(query.with({ timeout: 1 })(1)).resolves.toBe('old');
    expect(row.loads).toBe(1);
  });

  it('rejects for tags that are none, once', async () => {
    const { cache, load } = setUp({ store: memoryStore() });
    const query = cache.query({ name: 'tagged', load, tags: () => [''], mode: 'shadow' });
    await expect(query(1)).rejects.toMatchObject({ code: 'INVALID_TAG' });
  });

  it('keeps what its loader tags under those tags', async () => {
    const { cache } = setUp();
    const query = cache.query({
      name: 'tagged',
      load: withContext(async (ctx) => (ctx.tag('t'), 1)),
      mode: 'shadow',
    });
    await query();
    expect(query.with({ mode: 'on' }).peek()).toBe(1);
    await cache.invalidate(tag('t'));
    expect(query.with({ mode: 'on' }).peek()).toBeUndefined();
  });
});

describe('what it finds of the cache', () => {
  it('is a miss, or the same', async () => {
    const { events, query } = setUp();
    await query(1);
    await query(1);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, same: 1 });
    expect(events).toEqual([
      { type: 'shadow', key: 'q:1', query: 'q', outcome: 'miss' },
      { type: 'shadow', key: 'q:1', query: 'q', outcome: 'same', from: 'memory', age: 0 },
    ]);
  });

  it('has differed where nothing covers it, once everything is known that was written until then', async () => {
    const { clock, events, query, row } = setUp();
    await query(1);
    row.value = 'new';
    await clock.advance(50);
    await query(1);
    await clock.advance(1_999);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1 });
    await clock.advance(1);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, differed: 1 });
    expect(events.at(-1)).toEqual({
      type: 'shadow',
      key: 'q:1',
      query: 'q',
      outcome: 'differed',
      from: 'memory',
      age: 50,
    });
  });

  it('has changed where it was invalidated while it was loaded', async () => {
    const { cache, query, row } = setUp();
    await query(1);
    row.value = 'new';
    row.gate = new Gate();
    const reading = query(1);
    await cache.invalidate(query.at(1));
    row.gate.open();
    expect(await reading).toBe('new');
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, changed: 1 });
  });

  it('has changed where it was invalidated a moment later', async () => {
    const { clock, cache, query, row } = setUp();
    await query(1);
    row.value = 'new';
    await query(1);
    await clock.advance(1_000);
    expect(query.shadow()).toMatchObject({ changed: 0, differed: 0 });
    await cache.invalidate(query.at(1));
    await clock.advance(1_000);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, changed: 1 });
  });

  it('has changed where only what the cache has was invalidated', async () => {
    const { cache } = setUp();
    let author = 'ada';
    const query = cache.query({
      name: 'article',
      load: withContext(async (ctx) => (ctx.tag(`author:${author}`), author)),
      mode: 'shadow',
    });
    await query();
    author = 'bob';
    const reading = query();
    await cache.invalidate(tag('author:ada'));
    expect(await reading).toBe('bob');
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, changed: 1 });
  });

  it('has changed where what the cache has is the newer one', async () => {
    const clock = new FakeClock();
    const log = memoryLog();
    const shared = memoryStore()({ clock });
    const store = alteredStore(shared);
    const { query, row } = setUp({ clock, log, store, memory: false });
    const { cache: other, on } = setUp({ clock, log, store: shared });
    const [answer, { getMany }] = [new Gate(), store];
    store.getMany = async (keys) => {
      await answer.promise;
      return getMany(keys);
    };
    row.value = 'older';
    row.gate = new Gate();
    const reading = query(1); // 1. it reads the row, and looks into the store
    await other.invalidate(on.at(1)); // 2. the row changes
    await on(1); // 3. another process keeps the new one, which is found
    await clock.advance(0);
    answer.open();
    await clock.advance(0);
    row.gate.open();
    expect(await reading).toBe('older');
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 1, hits: 1, changed: 1 });
  });

  it('is unknown where this process was cut off from the log meanwhile', async () => {
    const { clock, link, query, row } = await overLink();
    await query(1);
    row.value = 'new';
    await query(1);
    link.cut('follow', 'append');
    await clock.advance(2_000);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, unknown: 1 });
    await query(1);
    expect(query.shadow()).toMatchObject({ reads: 3, hits: 1 });
  });

  it('is unknown where the log began a new epoch meanwhile', async () => {
    const { clock, log, query, row } = await overLink();
    await query(1);
    row.value = 'new';
    await query(1);
    log.beginEpoch();
    await clock.advance(2_000);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, unknown: 1 });
  });

  it('is unknown where too many wait to be judged', async () => {
    const { clock, query, row } = setUp();
    await query(1);
    row.value = 'new';
    await Promise.all(Array.from({ length: 1_002 }, () => query(1)));
    expect(query.shadow()).toMatchObject({ hits: 1_002, differed: 0, unknown: 2 });
    await clock.advance(2_000);
    expect(query.shadow()).toMatchObject({ differed: 1_000, unknown: 2 });
  });

  it('is judged when the cache closes, and no timer is left', async () => {
    const { clock, cache, query, row } = setUp();
    await query(1);
    row.value = 'new';
    row.gate = new Gate();
    const late = query(1);
    row.gate.open();
    await query(1);
    await late;
    await cache.close();
    expect(query.shadow()).toMatchObject({ hits: 2, unknown: 2 });
    expect(clock.timers).toBe(0);
  });

  it('is not compared any more where the load outlives the cache', async () => {
    const { clock, cache, query, row } = setUp();
    await query(1);
    row.value = 'new';
    row.gate = new Gate();
    const late = query(1);
    await cache.close();
    row.gate.open();
    expect(await late).toBe('new');
    expect(query.shadow()).toMatchObject({ hits: 1, unknown: 1 });
    expect(clock.timers).toBe(0);
  });

  it('is warned of in the log where it has differed', async () => {
    const warn = vi.fn<(fields: object, message: string) => void>();
    const ignore = (): void => {};
    const { clock, query, row } = setUp({ logger: { debug: ignore, info: ignore, warn, error: ignore } });
    await query(1);
    await query(1);
    row.value = 'new';
    await query(1);
    await clock.advance(2_000);
    expect(warn.mock.calls).toEqual([
      [
        { event: 'cache_shadow', key: 'q:1', from: 'memory', age: 0 },
        'cache_shadow key=q:1: the cache would have served another value than was loaded, and nobody has invalidated it',
      ],
    ]);
  });
});

describe('values are compared', () => {
  const compare = async (first: unknown, second: unknown, equals?: (a: unknown, b: unknown) => boolean) => {
    const { cache, events } = setUp();
    let value = first;
    const query = cache.query({
      name: 'v',
      load: async () => value,
      mode: 'shadow',
      ...(equals === undefined ? {} : { equals }),
    });
    await query();
    value = second;
    await query();
    await cache.close();
    return { ...query.shadow(), error: events.at(-1)?.error };
  };

  it.each([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [new Map([[1, new Date(5)]]), new Map([[1, new Date(5)]])],
    [
      [Number.NaN, null],
      [Number.NaN, null],
    ],
    [0, -0],
  ])('by what is in them: %j and %j are the same', async (first, second) => {
    expect(await compare(first, second)).toMatchObject({ same: 1, unknown: 0 });
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [new Date(5), new Date(5).toISOString()],
    [new Map([[1, 2]]), new Map([[1, 3]])],
    [null, 0],
    [1, undefined],
    [
      [1, 2],
      [2, 1],
    ],
  ])('and %j and %j are not', async (first, second) => {
    expect(await compare(first, second)).toMatchObject({ same: 0, unknown: 1 });
  });

  it('by the query’s own function', async () => {
    const equals = (a: unknown, b: unknown): boolean => Math.abs(Number(a) - Number(b)) < 5;
    expect(await compare(100, 104, equals)).toMatchObject({ same: 1 });
    expect(await compare(100, 105, equals)).toMatchObject({ same: 0, unknown: 1 });
  });

  it('by nobody where that function fails', async () => {
    const error = new Error('a mistake');
    const failing = (): boolean => {
      throw error;
    };
    expect(await compare(1, 1, failing)).toMatchObject({ reads: 2, hits: 1, same: 0, unknown: 1, error });
  });
});

describe('the store', () => {
  it('is looked into, and counts as a hit of the cache', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const { cache, events, query, row } = setUp({ clock, store, memory: false });
    const hits: CacheEvent[] = [];
    cache.on((event) => void (event.type === 'hit' && hits.push(event)));
    await query(1);
    await clock.advance(5);
    await query(1);
    await clock.advance(0);
    expect(query.shadow()).toEqual({ ...NOTHING, reads: 2, hits: 1, same: 1 });
    expect(events.at(-1)).toEqual({ type: 'shadow', key: 'q:1', query: 'q', outcome: 'same', from: 'store', age: 5 });
    row.value = 'new';
    expect(await query(1)).toBe('new');
    await clock.advance(2_000);
    expect(query.shadow()).toMatchObject({ reads: 3, hits: 2, differed: 1 });
    expect(hits).toEqual([]);
  });

  it('keeps nobody waiting that is slower than the loader', async () => {
    const clock = new FakeClock();
    const store = alteredStore(memoryStore()({ clock }));
    const { query, row } = setUp({ clock, store, memory: false });
    await query(1);
    await clock.advance(0);
    const answer = new Gate();
    const { getMany } = store;
    store.getMany = async (keys) => {
      await answer.promise;
      return getMany(keys);
    };
    row.value = 'new';
    expect(await query(1)).toBe('new');
    expect(query.shadow()).toMatchObject({ reads: 1 });
    answer.open();
    await clock.advance(0);
    expect(query.shadow()).toMatchObject({ reads: 2, hits: 1 });
  });
});

describe('the switch', () => {
  it('is off where the cache is, and inside of bypass', async () => {
    const { query, cache } = setUp({ enabled: false });
    await query(1);
    await query(1);
    expect(query.shadow()).toEqual(NOTHING);
    await cache.close();
    const other = setUp();
    await other.cache.bypass(() => other.query(1));
    expect(other.query.shadow()).toEqual(NOTHING);
    await other.cache.close();
  });

  it('opts in where the cache has optIn', async () => {
    const { query, cache, load } = setUp({ optIn: true });
    const plain = cache.query({ name: 'plain', load, equals: () => true });
    await Promise.all([query(1), plain(1)]);
    expect([query.shadow().reads, plain.shadow().reads]).toEqual([1, 0]);
  });

  it('may be the default: then nothing is served, whoever asks', async () => {
    const { cache, events, row } = setUp({ defaults: { mode: 'shadow' } });
    const read = () => cache.getOrSet('k', () => row.loads++);
    expect([await read(), await read()]).toEqual([0, 1]);
    expect([await cache.get('k'), await cache.has('k')]).toEqual([undefined, false]);
    expect(await cache.getOrSet('k', () => 7, { mode: 'on' })).toBe(0);
    expect(await cache.getOrSet('k', () => 8, { mode: 'off' })).toBe(8);
    expect(events.map((it) => it.outcome)).toEqual(['miss']);
    await expect(cache.getOrSet('k', () => 9, { mode: 'Shadow' as 'on' })).rejects.toThrow('is none of');
  });

  it('may be of one read, also a warm one', async () => {
    const { cache, row } = setUp();
    const read = (options: object) => cache.getOrSet('k', () => row.loads++, options);
    expect([await read({}), await read({})]).toEqual([0, 0]);
    expect(await read({ mode: 'shadow' })).toBe(1);
    expect(await read({ enabled: false })).toBe(2);
    expect(await read({ mode: 'on' })).toBe(0);
  });

  it('counts in consistent, and in many, whose loads stay one call', async () => {
    const { cache, load } = setUp();
    const calls = vi.fn<(ids: readonly unknown[]) => void>();
    const branch = cache.query({
      name: 'branch',
      load,
      loadMany: async (list: readonly [number][]) => {
        calls(list);
        return list.map(([id]) => id);
      },
      mode: 'shadow',
    });
    expect(await branch.many([[1], [2]])).toEqual([1, 2]);
    expect(await branch.many([[1], [2], [3]])).toEqual([1, 2, 3]);
    expect(calls.mock.calls).toEqual([[[[1], [2]]], [[[1], [2], [3]]]]);
    expect(branch.shadow()).toMatchObject({ reads: 5, hits: 2, same: 2 });
    const values = await cache.consistent([branch.request(1), branch.request(2)]);
    expect(values).toEqual(['old', 'old']);
    expect(branch.shadow()).toMatchObject({ reads: 7, hits: 4 });
  });

  it('counts for each query apart', async () => {
    const { query, cache, load } = setUp();
    const other = cache.query({ name: 'other', load, mode: 'shadow' });
    await query(1);
    expect([query.shadow().reads, query.with({ ttl: 1 }).shadow().reads, other.shadow().reads]).toEqual([1, 1, 0]);
  });
});
