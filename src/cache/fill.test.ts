import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { type LoadContext, withContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

/** Caches that share one clock, one log and one store. */
function setUp() {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const store = memoryStore()({ clock });
  const member = (options: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name: 'test', clock, random, log, store, ...options });
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    return { cache, events };
  };
  return { clock, log, store, member };
}

// "A loader that read before the invalidation writes its old value back after it."
describe('the fill race', () => {
  const targets = [
    ['its key', key('row', 1)],
    ['a key above', key('row')],
    ['a tag', tag('t')],
    ['a tag found by the loader', tag('dynamic')],
    ['a pattern', pattern('*:1')],
    ['everything', everything()],
  ] as const;

  /** A row, and a loader that has read it and is slow to return it. */
  function slowRead() {
    const row = { value: 'old' };
    const returned = new Gate();
    const load = async (ctx: LoadContext): Promise<string> => {
      const { value } = row;
      ctx.tag('dynamic');
      if (value === 'old') await returned.promise;
      return value;
    };
    return { row, load, returned };
  }

  it.each(targets)('leaves the old value in no tier: %s', async (_what, target) => {
    const { clock, store, member } = setUp();
    const { cache } = member();
    const { row, load, returned } = slowRead();
    const early = cache.getOrSet(['row', 1], load, { tags: ['t'] });
    await clock.advance(0);
    row.value = 'new';
    await cache.invalidate(target);
    returned.open();
    expect(await early).toBe('old'); // it began before the write
    await clock.advance(0);
    expect(await store.getMany(['row:1'])).toEqual([undefined]);
    expect(await cache.get(['row', 1])).toBeUndefined();
    expect(await cache.getOrSet(['row', 1], load, { tags: ['t'] })).toBe('new');
    expect(await member().cache.getOrSet(['row', 1], load, { tags: ['t'] })).toBe('new');
  });

  it.each(targets)('reaches no other process: %s', async (_what, target) => {
    const { clock, member } = setUp();
    const a = member().cache;
    const b = member().cache;
    const { row, load, returned } = slowRead();
    const early = a.getOrSet(['row', 1], load, { tags: ['t'] });
    await clock.advance(0);
    row.value = 'new';
    await b.invalidate(target);
    returned.open();
    await early;
    await clock.advance(0);
    for (const cache of [b, a, member().cache])
      expect(await cache.getOrSet(['row', 1], load, { tags: ['t'] })).toBe('new');
  });

  it('is lost by loadMany too', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    const { row, load, returned } = slowRead();
    const rows = cache.query({
      name: 'row',
      load: withContext((ctx, _id: number) => load(ctx)),
      loadMany: (list, contexts) => Promise.all(list.map((_args, i) => load(contexts[i] as LoadContext))),
    });
    const early = rows.many([[1], [2]]);
    await clock.advance(0);
    row.value = 'new';
    await cache.invalidate(rows.at(1));
    returned.open();
    expect(await early).toEqual(['old', 'old']);
    expect(await rows.many([[1], [2]])).toEqual(['new', 'old']);
  });

  it('is lost by set() too, where the mark was taken before the value was read', async () => {
    const { clock, store, member } = setUp();
    const { cache } = member();
    const mark = cache.mark();
    const read = 'old';
    await cache.invalidate(key('k'));
    cache.set('k', read, { mark });
    await clock.advance(0);
    expect(await cache.get('k')).toBeUndefined();
    expect(await store.getMany(['k'])).toEqual([undefined]);
    cache.set('k', 'new', { mark: cache.mark() });
    expect(await cache.get('k')).toBe('new');
    await clock.advance(0);
    expect(await member().cache.get('k')).toBe('new');
  });

  it('is lost by a refresh in the background too', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('k', () => 'old', { ttl: 1_000 });
    await clock.advance(900);
    const slow = new Gate<string>();
    await cache.getOrSet('k', () => slow.promise, { ttl: 1_000, eagerRefresh: 0.5 });
    await clock.advance(0);
    await cache.invalidate(key('k'));
    slow.open('old');
    await clock.advance(0);
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
  });
});

describe('ttl', () => {
  it('is five minutes unless somebody says otherwise', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('k', () => 1);
    await clock.advance(299_999);
    expect(await cache.get('k')).toBe(1);
    await clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
  });

  it.each([
    ['of the cache', { defaults: { ttl: '1s' } }, undefined],
    ['of the read', {}, { ttl: '1s' }],
    ['of the read before that of the cache', { defaults: { ttl: '1h' } }, { ttl: '1s' }],
  ] as const)('%s', async (_what, options, read) => {
    const { clock, member } = setUp();
    const { cache } = member(options);
    await cache.getOrSet('k', () => 1, read);
    await clock.advance(999);
    expect(await cache.has('k')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('k')).toBe(false);
  });

  it('may differ by tier', async () => {
    const { clock, member } = setUp();
    const a = member();
    await a.cache.getOrSet('k', () => 1, { ttl: { memory: '1s', store: '10s' } });
    await clock.advance(1_000);
    expect(await a.cache.getOrSet('k', () => 2, { ttl: { memory: '1s', store: '10s' } })).toBe(1);
    expect(a.events).toContainEqual({ type: 'hit', key: 'k', from: 'store' });
    await clock.advance(9_000);
    expect(await a.cache.getOrSet('k', () => 3)).toBe(3);
  });

  it('of one tier leaves that of the other as it was', async () => {
    const { clock, member } = setUp();
    const { cache } = member({ defaults: { ttl: '2s' } });
    await cache.getOrSet('k', () => 1, { ttl: { memory: '1s' } });
    await clock.advance(1_500);
    expect(await cache.has('k')).toBe(true);
    await clock.advance(500);
    expect(await cache.has('k')).toBe(false);
  });

  it('may be chosen by the loader, for both tiers', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    const load = withContext((ctx: LoadContext) => {
      ctx.ttl('1s');
      return 1;
    });
    await cache.query({ name: 'k', load })();
    await clock.advance(999);
    expect(await cache.has('k')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('k')).toBe(false);
    expect(await member().cache.has('k')).toBe(false);
  });

  it('chosen by the loader may be longer than the option', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('k', (ctx) => (ctx.ttl('1h'), 1), { ttl: '1s' });
    await clock.advance(3_599_999);
    expect(await cache.has('k')).toBe(true);
  });

  it('of zero keeps nothing', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('k', () => 1, { ttl: 0 });
    await cache.getOrSet('l', (ctx) => (ctx.ttl(0), 1));
    await clock.advance(0);
    expect(cache.status().entries).toBe(0);
    expect(await cache.getMany(['k', 'l'])).toEqual([undefined, undefined]);
  });

  it('begins when the load begins, not when it ends', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    const slow = new Gate<number>();
    const reader = cache.getOrSet('k', () => slow.promise, { ttl: '1s' });
    await clock.advance(900);
    slow.open(1);
    await reader;
    expect(await cache.get('k')).toBe(1);
    await clock.advance(100);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('stays within the longest life that the log keeps bans for', async () => {
    const { clock, member } = setUp();
    const { cache } = member({ memory: { maxEntries: 10 } });
    await cache.getOrSet('k', () => 1, { ttl: '10d', grace: '10d', timeout: '1h' });
    await clock.advance(24 * 3_600_000);
    expect(await cache.has('k')).toBe(false);
  });

  it('refuses what is no duration, from the loader as well', async () => {
    const { cache } = setUp().member();
    await expect(cache.getOrSet('k', (ctx) => (ctx.ttl('soon' as '1s'), 1))).rejects.toThrow(
      `ctx.ttl(): "soon" is not a duration. Give milliseconds from 0 to 315360000000, or a text such as '250ms', '30s', '5m', '2h' or '10d'.`,
    );
  });
});

describe('negativeTtl', () => {
  it('is the ttl of null, and of nothing else', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('none', () => null, { ttl: '1m', negativeTtl: '1s' });
    await cache.getOrSet('zero', () => 0, { ttl: '1m', negativeTtl: '1s' });
    await clock.advance(999);
    expect(await cache.getMany(['none', 'zero'])).toEqual([null, 0]);
    await clock.advance(1);
    expect(await cache.getMany(['none', 'zero'])).toEqual([undefined, 0]);
  });

  it('is not needed to keep null', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('none', () => null, { ttl: '1m' });
    await clock.advance(59_999);
    expect(await cache.get('none')).toBeNull();
  });

  it('gives way to what the loader chooses', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    await cache.getOrSet('none', (ctx) => (ctx.ttl('10s'), null), { negativeTtl: '1s' });
    await clock.advance(9_999);
    expect(await cache.get('none')).toBeNull();
  });
});

describe('jitter', () => {
  it('takes at most its share off the ttl', async () => {
    const { clock, member } = setUp();
    const { cache } = member({ random: () => 0.5 });
    await cache.getOrSet('k', () => 1, { ttl: 1_000, jitter: 0.2 });
    await clock.advance(899);
    expect(await cache.has('k')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('k')).toBe(false);
  });

  it('spreads what was loaded together', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    const keys = Array.from({ length: 100 }, (_, i) => `k:${i}`);
    await Promise.all(keys.map((it) => cache.getOrSet(it, () => 1, { ttl: 1_000, jitter: 0.5 })));
    const found = async (): Promise<number> => (await cache.getMany(keys)).filter((it) => it === 1).length;
    await clock.advance(499);
    expect(await found()).toBe(100);
    await clock.advance(251);
    expect(await found()).toBeGreaterThan(30);
    expect(await found()).toBeLessThan(70);
    await clock.advance(250);
    expect(await found()).toBe(0);
  });
});

describe('what a loader is told, and may decide', () => {
  it('the key, and the value that is replaced', async () => {
    const { cache } = setUp().member();
    const seen: unknown[] = [];
    const load = (value: string) => (ctx: LoadContext) => {
      seen.push([ctx.key, ctx.previous, ctx.lsn]);
      return value;
    };
    await cache.getOrSet(['a:b', 1], load('first'));
    await cache.invalidate(key(['a:b', 1]));
    await cache.getOrSet(['a:b', 1], load('second'));
    expect(seen).toEqual([
      ['a\\:b:1', undefined, undefined],
      ['a\\:b:1', 'first', undefined],
    ]);
  });

  it('skip: the value is returned to all who wait, and kept nowhere', async () => {
    const { clock, store, member } = setUp();
    const { cache, events } = member();
    const load = vi.fn(async (ctx: LoadContext) => {
      ctx.skip();
      return 1;
    });
    expect(await Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load)])).toEqual([1, 1]);
    expect(load).toHaveBeenCalledTimes(1);
    await clock.advance(0);
    expect(cache.status().entries).toBe(0);
    expect(await store.getMany(['k'])).toEqual([undefined]);
    expect(events).toContainEqual({ type: 'loaded', key: 'k', ms: 0, kept: false });
  });

  it('tags: kept with the entry in every tier', async () => {
    const { clock, member } = setUp();
    const a = member().cache;
    await a.getOrSet('k', (ctx) => (ctx.tag('one', 'two'), 'old'), { tags: ['static'] });
    await clock.advance(0);
    for (const name of ['one', 'two', 'static']) {
      const b = member().cache;
      expect(await b.getOrSet('k', () => 'unused')).not.toBe('unused');
      await a.invalidate(tag(name));
      expect(await b.getOrSet('k', (ctx) => (ctx.tag('one', 'two', 'static'), name))).toBe(name);
      expect(await a.getOrSet('k', () => 'unused')).toBe(name);
      await clock.advance(0);
    }
  });

  it('a bad tag fails the load', async () => {
    const { cache } = setUp().member();
    await expect(cache.getOrSet('k', (ctx) => (ctx.tag('a\u0000b'), 1))).rejects.toMatchObject({ code: 'INVALID_TAG' });
    expect(await cache.has('k')).toBe(false);
  });

  it('the bound of the commits behind what was applied here', async () => {
    const { cache } = setUp().member();
    const lsn = (name: string) => cache.getOrSet(name, (ctx) => String(ctx.lsn));
    expect(await lsn('a')).toBe('undefined');
    await cache.invalidate([key('x')], { lsn: 7n });
    expect(await lsn('b')).toBe('7');
    await cache.invalidate([key('x')], { lsn: 'unknown' });
    expect(await lsn('c')).toBe('unknown');
  });

  it.each([
    ['an object', {}],
    ['a function', () => {}],
  ])('awaits once what only looks like a promise, as query builders do: %s', async (_what, builder) => {
    const { cache } = setUp().member();
    const run = vi.fn((done: (value: number) => void) => done(1));
    // oxlint-disable-next-line unicorn/no-thenable -- such builders are what is tested
    const thenable = Object.assign(builder, { then: run }) as unknown as Promise<number>;
    const query = cache.query({ name: 'k', load: () => thenable });
    expect(await query()).toBe(1);
    expect(query.peek()).toBe(1);
    expect(await query()).toBe(1);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
