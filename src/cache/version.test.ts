import { afterEach, describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { formatToken } from '../coherence/position.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { memoryLease } from '../testing/memory-lease.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { withContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';
import type { Migrate } from './version.ts';

interface Old {
  readonly cents: number;
}

interface New {
  readonly euros: number;
}

const caches: Cache[] = [];

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

/** Processes of two releases that share a log and a store; what is in the database is `cents`. */
function setUp(reclaim: 'lazy' | 'eager' = 'lazy') {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const kept = memoryStore({ reclaim })({ clock });
  const store = alteredStore(kept);
  const asked: string[][] = [];
  store.getMany = (places) => {
    asked.push([...places]);
    return kept.getMany(places);
  };
  const database = { cents: 100 };
  const loads: string[] = [];
  const node = (options: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name: 'shop', clock, random, log, store, ...options });
    caches.push(cache);
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    return { cache, events };
  };
  const older = (options: Partial<CacheOptions> = {}) => {
    const made = node(options);
    const load = withContext((ctx, id: string): Old => {
      loads.push(`1 ${id}`);
      ctx.tag(`kind:${id}`);
      return { ...database };
    });
    return { ...made, price: made.cache.query({ name: 'price', load, tags: (id) => [`old:${id}`], ttl: '1m' }) };
  };
  const newer = (migrate?: Migrate<New>, options: Partial<CacheOptions> = {}) => {
    const made = node(options);
    const load = (id: string): New => {
      loads.push(`2 ${id}`);
      return { euros: database.cents / 100 };
    };
    const lifted = migrate === undefined ? {} : { migrate };
    const price = made.cache.query({ name: 'price', version: 2, load, tags: (id) => [`new:${id}`], ...lifted });
    return { ...made, price };
  };
  return { clock, kept, store, asked, database, loads, node, older, newer };
}

const UP: Migrate<New> = { 1: (old: Old) => ({ euros: old.cents / 100 }) };

describe('two versions of a query', () => {
  it('never read each other’s values, in whatever order they come', async () => {
    const { clock, loads, older, newer } = setUp();
    const [old, now] = [older(), newer()];
    expect(await old.price('a')).toEqual({ cents: 100 });
    await clock.advance(0);
    expect(await now.price('a')).toEqual({ euros: 1 });
    await clock.advance(0);
    // Again, by processes that have nothing in memory: each finds its own in the store.
    expect(await older().price.read('a')).toMatchObject({ value: { cents: 100 }, from: 'store' });
    expect(await newer().price.read('a')).toMatchObject({ value: { euros: 1 }, from: 'store' });
    expect(loads).toEqual(['1 a', '2 a']);
  });

  it.each([
    ['its key', key('price', 'a')],
    ['a key above it', key('price')],
    ['a pattern', pattern('pri*:a')],
    ['a pattern from its first letter on', pattern('price:?')],
    ['everything', everything()],
  ])('are covered together by %s, in memory and in the store', async (_what, target) => {
    const { clock, older, newer, loads } = setUp();
    const [old, now] = [older(), newer()];
    await Promise.all([old.price('a'), now.price('a')]);
    await clock.advance(0);
    await old.cache.invalidate(target);
    expect([old.price.peek('a'), now.price.peek('a')]).toEqual([undefined, undefined]);
    await Promise.all([older().price('a'), newer().price('a')]);
    expect(loads).toHaveLength(4);
  });

  it('are covered together by at(), whichever of them is asked for it', async () => {
    const { older, newer } = setUp();
    const [old, now] = [older(), newer()];
    expect(now.price.at('a')).toEqual(old.price.at('a'));
    await Promise.all([old.price('a'), old.price('b'), now.price('a')]);
    await now.cache.invalidate(now.price.at('a'));
    expect([old.price.peek('a'), now.price.peek('a')]).toEqual([undefined, undefined]);
    expect(old.price.peek('b')).toEqual({ cents: 100 });
  });

  it('may live in one process, each by its own', async () => {
    const { node, loads } = setUp();
    const { cache, events } = node();
    const make = (version: number) =>
      cache.query({ name: 'price', version, load: (id: string) => (loads.push(id), `${id}${version}`) });
    const [one, two] = [make(1), make(2)];
    expect(await Promise.all([one('a'), two('a')])).toEqual(['a1', 'a2']);
    expect([one.peek('a'), two.peek('a')]).toEqual(['a1', 'a2']);
    expect(await cache.get('price:a')).toBe('a1');
    expect(await cache.consistent([one.request('a'), two.request('a')])).toEqual(['a1', 'a2']);
    expect(await two.many([['a'], ['b']])).toEqual(['a2', 'b2']);
    expect(() => make(2)).toThrow(/taken/);
    // Whoever listens hears of the key; where a value is kept is nobody's business.
    expect(new Set(events.flatMap((event) => ('key' in event ? [event.key] : [])))).toEqual(
      new Set(['price:a', 'price:b']),
    );
  });

  it('are not found under the text of the place of one', async () => {
    const { newer } = setUp();
    const { cache, price } = newer();
    await price('a');
    expect(await cache.getOrSet('\\v2:price:a', () => 'mine')).toBe('mine');
    expect(price.peek('a')).toEqual({ euros: 1 });
  });

  it('do not wait for each other’s loads', async () => {
    const { clock, node } = setUp();
    const lease = memoryLease();
    const [old, now] = [node({ lease }), node({ lease })];
    const slow = new Gate<number>();
    const first = old.cache.query({ name: 'price', load: () => slow.promise });
    const reading = first();
    await clock.advance(0);
    const second = now.cache.query({ name: 'price', version: 2, load: () => 2 });
    expect(await second()).toBe(2);
    slow.open(1);
    expect(await reading).toBe(1);
  });

  it('are both freed by a store that reclaims, by key, tag and pattern', async () => {
    const { clock, kept, older, newer } = setUp('eager');
    const [old, now] = [older(), newer()];
    for (const target of [key('price', 'a'), key('price'), pattern('*:a')]) {
      await Promise.all([old.price('a'), now.price('a')]);
      await clock.advance(0);
      expect(await old.cache.invalidate(target)).toMatchObject({ removed: 2 });
      expect(await kept.getMany(['price:a', '\\v2:price:a'])).toEqual([undefined, undefined]);
    }
  });
});

describe('migrate', () => {
  it('lifts what the older version has kept, without a load, and keeps it', async () => {
    const { clock, loads, older, newer } = setUp();
    await older().price('a');
    await clock.advance(10_000);
    const now = newer(UP);
    const { mark } = await older().price.read('a');
    expect(await now.price.read('a')).toMatchObject({ value: { euros: 1 }, from: 'store', mark, age: 10_000 });
    expect(now.price.peek('a')).toEqual({ euros: 1 });
    expect(now.events).toContainEqual({ type: 'migrated', key: 'price:a', from: 1 });
    await clock.advance(0);
    // The next of the same release needs nothing of the old one, and has to lift nothing.
    const next = newer();
    expect(await next.price.read('a')).toMatchObject({ value: { euros: 1 }, from: 'store', mark });
    expect(loads).toEqual(['1 a']);
  });

  it('asks for the older ones only where its own version has nothing, by one request', async () => {
    const { clock, asked, newer } = setUp();
    const migrate = { 1: () => undefined, 3: () => undefined };
    const { price } = newer(migrate);
    await price('a');
    expect(asked).toEqual([['\\v2:price:a'], ['\\v3:price:a', 'price:a']]);
    await clock.advance(0);
    asked.length = 0;
    await newer(migrate).price('a');
    expect(asked).toEqual([['\\v2:price:a']]);
  });

  it('never serves what was invalidated since the old value was loaded', async () => {
    const { clock, database, older, newer, loads } = setUp();
    const old = older();
    await old.price('a');
    await clock.advance(0);
    database.cents = 200;
    await old.cache.invalidate(key('price', 'a'));
    expect(await newer(UP).price('a')).toEqual({ euros: 2 });
    expect(loads).toEqual(['1 a', '2 a']);
  });

  it.each([
    ['known from the arguments of the old release', tag('old:a')],
    ['known from those of the new one', tag('new:a')],
    ['known to the old loader only', tag('kind:a')],
  ])('keeps the tag %s, for whoever finds the lifted value', async (_what, target) => {
    const { clock, database, older, newer } = setUp();
    await older().price('a');
    await clock.advance(0);
    const now = newer(UP);
    await now.price('a');
    await clock.advance(0);
    database.cents = 200;
    await older().cache.invalidate(target);
    expect(now.price.peek('a')).toBeUndefined();
    expect(await newer(UP).price('a')).toEqual({ euros: 2 });
  });

  it('does not make a value live longer', async () => {
    const { clock, older, newer } = setUp();
    await older().price('a');
    await clock.advance(59_000);
    const now = newer(UP);
    await now.price('a');
    await clock.advance(999);
    expect(now.price.peek('a')).toEqual({ euros: 1 });
    await clock.advance(1);
    expect(now.price.peek('a')).toBeUndefined();
    expect((await newer(UP).price.read('a')).from).toBe('loader');
  });

  it('tries the highest version first, and the next where that cannot be lifted', async () => {
    const { clock, node, loads } = setUp();
    const make = (version: number, migrate = {}) =>
      node().cache.query({ name: 'q', version, load: () => (loads.push(`${version}`), version), migrate });
    await make(1)();
    await make(2)();
    await clock.advance(0);
    expect(await make(3, { 1: (old: number) => old * 10, 2: (old: number) => old * 100 })()).toBe(200);
    expect(await make(4, { 1: (old: number) => old * 10, 2: () => undefined })()).toBe(10);
    expect(loads).toEqual(['1', '2']);
  });

  it('goes back, too', async () => {
    const { clock, node } = setUp();
    const newer = node().cache.query({ name: 'q', version: 2, load: () => 'new' });
    await newer();
    await clock.advance(0);
    const older = node().cache.query({ name: 'q', load: () => 'old', migrate: { 2: (it: string) => `was ${it}` } });
    expect(await older()).toBe('was new');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such field');
      },
      expect.any(Error),
    ],
    ['returns nothing', () => undefined, undefined],
    ['returns a promise', (() => Promise.reject(new Error('late'))) as never, expect.any(TypeError)],
  ])('that %s is a miss, reported, and no reader’s error', async (_what, lift, error) => {
    const { clock, older, newer, loads } = setUp();
    await older().price('a');
    await clock.advance(0);
    const warn = vi.fn();
    const logger = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
    const now = newer({ 1: lift }, { logger });
    expect(await now.price('a')).toEqual({ euros: 1 });
    expect(loads).toEqual(['1 a', '2 a']);
    const told = now.events.filter((event) => event.type === 'not-migrated');
    expect(told).toEqual([
      { type: 'not-migrated', key: 'price:a', from: 1, ...(error === undefined ? {} : { error }) },
    ]);
    expect(warn).toHaveBeenCalledTimes(error === undefined ? 0 : 1);
  });

  it('is not asked by a reader whose token this node cannot judge', async () => {
    const { clock, older, newer } = setUp();
    await older().price('a');
    await clock.advance(0);
    const elsewhere = formatToken({ epoch: '0123456789abcdef', number: 1 });
    const { price } = newer(UP);
    expect((await price.with({ atLeast: elsewhere }).read('a')).from).toBe('loader');
  });
});

describe('options', () => {
  it.each([
    ['version 0', { version: 0 }],
    ['a text', { version: '2' as never }],
    ['a fraction', { version: 1.5 }],
    ['a migration from this very version', { version: 2, migrate: { 2: () => 1 } }],
    ['a migration from what is no version', { migrate: { v2: () => 1 } as never }],
    ['a migration that is no function', { migrate: { 2: 1 as never } }],
    ['migrations that are no object', { migrate: (() => 1) as never }],
  ])('refuse %s', (_what, options) => {
    const { node } = setUp();
    expect(() => node().cache.query({ name: 'q', load: () => 1, ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});
