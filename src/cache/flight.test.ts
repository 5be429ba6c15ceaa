import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog, type LogPath } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { LoadContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, random: new SeededRandom(1).next, ...options });
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  const count = (type: CacheEvent['type']): number => events.filter((event) => event.type === type).length;
  return { clock, cache, count };
}

/** On a node that follows its log over connections, some of them cut from the start. */
function setUpRemote(...cut: LogPath[]) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new FaultyLog(new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random }));
  log.cut(...cut);
  return { clock, log, cache: createCache({ name: 'test', clock, random, log }) };
}

/** Loads that answer one by one, when they are told to. */
function gatedLoads() {
  const gates: Gate<string>[] = [];
  const load = vi.fn((): Promise<string> => {
    const gate = new Gate<string>();
    gates.push(gate);
    return gate.promise;
  });
  return { load, gates, open: (i: number, value: string) => gates[i]?.open(value) };
}

describe('a flight', () => {
  it('is shared by all who want the key while it is under way', async () => {
    const { clock, cache, count } = setUp();
    const { load, open } = gatedLoads();
    const readers = [cache.getOrSet('k', load), cache.getOrSet(['k'], load)];
    await clock.advance(10);
    readers.push(cache.getOrSet('k', load));
    await clock.advance(10);
    open(0, 'value');
    expect(await Promise.all(readers)).toEqual(['value', 'value', 'value']);
    expect(load).toHaveBeenCalledTimes(1);
    expect(count('joined')).toBe(2);
    expect(cache.status().loading).toBe(0);
  });

  it('is not shared across keys', async () => {
    const { cache } = setUp();
    const load = vi.fn((ctx: LoadContext) => ctx.key);
    expect(await Promise.all([cache.getOrSet('a', load), cache.getOrSet('b', load)])).toEqual(['a', 'b']);
  });

  it('that looks into the store is shared too', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const found = new Gate();
    const slow = alteredStore(store, { getMany: (keys) => found.promise.then(() => store.getMany(keys)) });
    const { cache } = setUp({ clock, store: slow });
    const load = vi.fn(() => 1);
    const first = cache.getOrSet('k', load);
    await clock.advance(10);
    const second = cache.getOrSet('k', load);
    await clock.advance(10);
    found.open();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('fails all who share it once, with the same error, and the next reader loads anew', async () => {
    const { clock, cache, count } = setUp();
    const { load, gates } = gatedLoads();
    const readers = Array.from({ length: 10 }, () => cache.getOrSet('k', load));
    await clock.advance(0);
    const error = new Error('the database is down');
    gates[0]?.fail(error);
    const outcomes = await Promise.allSettled(readers);
    expect(outcomes.every((it) => it.status === 'rejected' && it.reason === error)).toBe(true);
    expect(load).toHaveBeenCalledTimes(1);
    expect(count('load-failed')).toBe(1);
    expect(await cache.getOrSet('k', () => 'recovered')).toBe('recovered');
  });

  it('hands on what a loader throws at once, like what it rejects with', async () => {
    const { cache } = setUp();
    const thrown = new TypeError('no');
    await expect(
      cache.getOrSet('k', () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(cache.status().loading).toBe(0);
  });
});

// "A read that starts after the invalidation joins the old flight."
describe('a reader that starts after an invalidation', () => {
  const targets = [
    ['its key', key('a', 'b')],
    ['a key above', key('a')],
    ['a tag', tag('t')],
    ['a pattern', pattern('a:?')],
    ['everything', everything()],
  ] as const;

  it.each(targets)('is not given what a flight from before it brings: %s', async (_what, target) => {
    const { clock, cache } = setUp();
    const { load, open } = gatedLoads();
    const read = () => cache.getOrSet(['a', 'b'], load, { tags: ['t'] });
    const before = read();
    await clock.advance(0);
    await cache.invalidate(target);
    const after = read();
    await clock.advance(0);
    open(0, 'old');
    open(1, 'new');
    expect(await before).toBe('old');
    expect(await after).toBe('new');
    expect(load).toHaveBeenCalledTimes(2);
    expect(await read()).toBe('new');
  });

  it('loads again where the flight turns out to carry the tag', async () => {
    const { clock, cache, count } = setUp();
    const { load, open } = gatedLoads();
    const read = () =>
      cache.getOrSet('k', (ctx) => {
        ctx.tag('dynamic');
        return load();
      });
    const before = read();
    await clock.advance(0);
    await cache.invalidate(tag('dynamic'));
    const after = read();
    await clock.advance(0);
    expect(load).toHaveBeenCalledTimes(1); // nobody can know yet
    open(0, 'old');
    await clock.advance(0);
    expect(await before).toBe('old');
    expect(load).toHaveBeenCalledTimes(2);
    expect(count('rejoined')).toBe(1);
    open(1, 'new');
    expect(await after).toBe('new');
    expect(await read()).toBe('new');
  });

  it('shares its second load with all who wait for the same', async () => {
    const { clock, cache } = setUp();
    const { load, open } = gatedLoads();
    const read = () =>
      cache.getOrSet('k', (ctx) => {
        ctx.tag('dynamic');
        return load();
      });
    const before = read();
    await clock.advance(0);
    await cache.invalidate(tag('dynamic'));
    const after = [read(), read(), read()];
    open(0, 'old');
    await clock.advance(0);
    open(1, 'new');
    expect(await Promise.all([before, ...after])).toEqual(['old', 'new', 'new', 'new']);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('counts the tags that it brings itself', async () => {
    const { clock, cache } = setUp();
    const { load, open } = gatedLoads();
    const before = cache.getOrSet('k', load);
    await clock.advance(0);
    await cache.invalidate(tag('mine'));
    const after = cache.getOrSet('k', load, { tags: ['mine'] });
    const other = cache.getOrSet('k', load);
    await clock.advance(0);
    open(0, 'old');
    open(1, 'new');
    expect(await before).toBe('old');
    expect(await after).toBe('new');
    expect(['old', 'new']).toContain(await other);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('waits for the flight that it began itself, whatever is invalidated meanwhile', async () => {
    const { clock, cache } = setUp();
    const { load, open } = gatedLoads();
    const reader = cache.getOrSet('k', load);
    await clock.advance(0);
    await cache.invalidate(key('k'));
    await cache.invalidate(key('k'));
    open(0, 'value');
    expect(await reader).toBe('value');
    expect(load).toHaveBeenCalledTimes(1);
  });
});

describe('a hot tag', () => {
  it('that is invalidated during every load livelocks nobody: no reader waits for more than two loads', async () => {
    const { clock, cache } = setUp();
    let loads = 0;
    const readers: { waited: () => number; done: Promise<number> }[] = [];
    const load = async (ctx: LoadContext): Promise<number> => {
      ctx.tag('hot');
      const mine = ++loads;
      await new Promise<void>((resolve) => clock.schedule(10, resolve));
      await cache.invalidate(tag('hot'));
      return mine;
    };
    for (let i = 0; i < 30; i++) {
      const since = loads;
      let until = Number.POSITIVE_INFINITY;
      const done = cache.getOrSet('k', load).finally(() => {
        until = loads;
      });
      readers.push({ waited: () => until - since, done });
      await clock.advance(3);
    }
    await clock.advance(100);
    await Promise.all(readers.map((it) => it.done));
    // Those under way when it came and when it left count too: at most three numbers were given out.
    expect(Math.max(...readers.map((it) => it.waited()))).toBeLessThanOrEqual(3);
    expect(loads).toBeGreaterThan(5);
  });

  it('is served to the reader that loads it, though never from memory', async () => {
    const { cache } = setUp();
    const load = vi.fn(async (ctx: LoadContext) => {
      ctx.tag('hot');
      await cache.invalidate(tag('hot'));
      return 'value';
    });
    expect(await cache.getOrSet('k', load)).toBe('value');
    expect(await cache.getOrSet('k', load)).toBe('value');
    expect(load).toHaveBeenCalledTimes(2);
  });
});

describe('while detached', () => {
  it('a flight is joined within maxLag of its start, and not later', async () => {
    const { clock, log, cache } = setUpRemote();
    await cache.ready();
    log.cut('follow');
    await clock.advance(10);
    const { load, open } = gatedLoads();
    const first = cache.getOrSet('k', load);
    await clock.advance(2_000);
    const second = cache.getOrSet('k', load);
    await clock.advance(1);
    expect(load).toHaveBeenCalledTimes(1);
    const third = cache.getOrSet('k', load);
    await clock.advance(0);
    expect(load).toHaveBeenCalledTimes(2);
    open(0, 'one');
    open(1, 'two');
    expect(await Promise.all([first, second, third])).toEqual(['one', 'one', 'two']);
  });

  it('a flight is shared though the log was never reached', async () => {
    const { clock, cache } = setUpRemote('follow', 'append');
    const { load, open } = gatedLoads();
    const first = cache.getOrSet('k', load);
    await clock.advance(10);
    const second = cache.getOrSet('k', load);
    await clock.advance(0);
    open(0, 'one');
    open(1, 'two');
    expect(await Promise.all([first, second])).toEqual(['one', 'one']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each([true, false])(
    'a flight from before a queued write is not joined, one from after it is (log ever reached: %s)',
    async (reached) => {
      const { clock, log, cache } = reached ? setUpRemote() : setUpRemote('follow', 'append');
      if (reached) await cache.ready();
      log.cut('follow', 'append');
      await clock.advance(10);
      const { load, open } = gatedLoads();
      const before = cache.getOrSet('k', load);
      await clock.advance(0);
      const receipt = cache.invalidate(key('k'));
      await clock.advance(300);
      expect((await receipt).status).toBe('queued');
      const after = cache.getOrSet('k', load);
      await clock.advance(0);
      const later = cache.getOrSet('k', load);
      await clock.advance(0);
      open(0, 'old');
      open(1, 'new');
      open(2, 'newest');
      expect(await Promise.all([before, after, later])).toEqual(['old', 'new', 'new']);
      expect(load).toHaveBeenCalledTimes(2);
    },
  );
});
