import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { InvalidationLog } from '../coherence/log.ts';
import { logOptions } from '../coherence/log-options.ts';
import { memoryLog, MemoryLog } from '../coherence/memory-log.ts';
import type { PartContext } from '../coherence/part.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag, type Target } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { LoadContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const member = (more: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name: 'test', clock, random, log, ...options, ...more });
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    return { cache, events };
  };
  return { clock, log, member, ...member() };
}

describe('get, has and getMany', () => {
  it('find what is kept, and load nothing', async () => {
    const { cache, events } = setUp();
    await cache.getOrSet(['user', 1], () => 'one');
    events.length = 0;
    expect(await cache.get('user:1')).toBe('one');
    expect(await cache.has(['user', 1])).toBe(true);
    expect(await cache.get('user:2')).toBeUndefined();
    expect(await cache.has('user:2')).toBe(false);
    expect(await cache.getMany(['user:2', ['user', 1], 'user:3'])).toEqual([undefined, 'one', undefined]);
    expect(events.some((event) => event.type === 'loaded')).toBe(false);
  });

  it('find what another process has stored, and keep it', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const { cache, member } = setUp({ clock, store });
    await cache.getOrSet('k', () => 'stored');
    await clock.advance(0);
    const other = member().cache;
    expect(await other.get('k')).toBe('stored');
    expect(other.status().entries).toBe(1);
  });

  it('tell of hits and misses, as every read does', async () => {
    const { clock, cache, events } = setUp();
    await cache.get('k');
    await cache.getOrSet('k', () => 1, { ttl: '1s' });
    await cache.get('k');
    await clock.advance(1_000);
    await cache.has('k');
    expect(events.filter((event) => event.type === 'hit' || event.type === 'miss')).toEqual([
      { type: 'miss', key: 'k', reason: 'absent' },
      { type: 'miss', key: 'k', reason: 'absent' },
      { type: 'hit', key: 'k', from: 'memory' },
      { type: 'miss', key: 'k', reason: 'expired' },
    ]);
  });

  it('ask the store once for many keys', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const getMany = vi.spyOn(store, 'getMany');
    const { cache } = setUp({ clock, store });
    await cache.getMany(['a', 'b', 'c']);
    expect(getMany.mock.calls).toEqual([[['a', 'b', 'c']]]);
  });

  it('reject for a bad key', async () => {
    const { cache } = setUp();
    await expect(cache.get('')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(cache.has('')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(cache.getMany(['a', ''])).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });
});

describe('set', () => {
  it('keeps a value that was read after the mark, in both tiers', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const { cache, member } = setUp({ clock, store });
    cache.set(['user', 1], { id: 1 }, { mark: cache.mark(), tags: ['org:7'] });
    expect(await cache.get('user:1')).toEqual({ id: 1 });
    await clock.advance(0);
    expect(await member().cache.get('user:1')).toEqual({ id: 1 });
    await cache.invalidate(tag('org:7'));
    expect(await cache.get('user:1')).toBeUndefined();
    expect(await member().cache.get('user:1')).toBeUndefined();
  });

  it('keeps falsy values, and not undefined', async () => {
    const { cache } = setUp();
    for (const value of [0, '', false, null]) {
      cache.set('k', value, { mark: cache.mark() });
      expect(await cache.get('k')).toBe(value);
      expect(await cache.has('k')).toBe(true);
    }
    expect(cache.set('other', undefined, { mark: cache.mark() })).toBe(false);
    expect(await cache.has('other')).toBe(false);
  });

  it('has a ttl of its own, for each tier', async () => {
    const { clock, cache } = setUp();
    cache.set('k', 1, { mark: cache.mark(), ttl: { memory: '1s', store: '1m' } });
    await clock.advance(999);
    expect(await cache.has('k')).toBe(true);
    await clock.advance(1);
    expect(await cache.has('k')).toBe(false);
  });

  it('takes the mark of another node that shares the log', async () => {
    const { cache, member } = setUp();
    const other = member().cache;
    const mark = other.mark();
    expect(cache.set('k', 'value', { mark })).toBe(true);
    expect(await cache.get('k')).toBe('value');
    await other.invalidate(key('k'));
    expect(cache.set('k', 'old', { mark })).toBe(false);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('keeps nothing under a mark of another epoch, or of a node that never reached its log', async () => {
    const { clock, log, cache, member } = setUp();
    cache.set('k', 1, { mark: `1.${'a'.repeat(16)}.1` });
    expect(await cache.get('k')).toBeUndefined();
    const link = new FaultyLog(log);
    link.cut('follow');
    const behind = member({ log: link }).cache;
    const mark = behind.mark();
    link.mend('follow');
    await clock.advance(2_000);
    expect(behind.status().attached).toBe(true);
    behind.set('k', 1, { mark });
    expect(await behind.get('k')).toBeUndefined();
  });

  it.each([[undefined], [{}], [{ mark: undefined }], [{ mark: 7 }], [{ mark: '1.queued' }]])(
    'refuses %j, which has no mark',
    (options) => {
      const { cache } = setUp();
      expect(() => cache.set('k', 1, options as { mark: string })).toThrow(
        'mark: set() needs the position that the value was read after. Take it first: const mark = cache.mark(); const user = await load(); cache.set(key, user, { mark }).',
      );
    },
  );
});

describe('delete', () => {
  it('is an invalidation of the key and everything below it, for every node', async () => {
    const { cache, member } = setUp();
    const other = member().cache;
    await other.getOrSet('user:1', () => 1);
    await other.getOrSet('user:1:roles', () => 1);
    await other.getOrSet('user:2', () => 2);
    expect(await cache.delete(['user', 1])).toEqual({ status: 'applied', token: cache.mark() });
    expect(await other.getMany(['user:1', 'user:1:roles', 'user:2'])).toEqual([undefined, undefined, 2]);
  });

  it('is one of nothing that is there, too: a load that is under way must not bring it back', async () => {
    const { clock, cache } = setUp();
    const slow = new Gate<string>();
    const read = cache.getOrSet('k', () => slow.promise);
    await clock.advance(0);
    await cache.delete('k');
    slow.open('old');
    await read;
    expect(await cache.has('k')).toBe(false);
  });
});

describe('invalidate', () => {
  it('covers what is meant, and only that, for all nodes at once', async () => {
    const { cache, member } = setUp();
    const other = member().cache;
    const entries: Record<string, string[]> = {
      'a:1': ['x'],
      'a:1:deep': [],
      'a:2': ['x', 'y'],
      'b:1': ['y'],
      'b:12': [],
    };
    const survivors = async (...targets: Target[]): Promise<string[]> => {
      for (const node of [cache, other])
        for (const [name, tags] of Object.entries(entries)) await node.getOrSet(name, () => 1, { tags });
      await cache.invalidate(...targets);
      const names = Object.keys(entries);
      const left = async (node: typeof cache) => (await node.getMany(names)).flatMap((it, i) => (it ? [names[i]] : []));
      expect(await left(cache)).toEqual(await left(other));
      return (await left(cache)) as string[];
    };
    expect(await survivors(key('a', 1))).toEqual(['a:2', 'b:1', 'b:12']);
    expect(await survivors(key('a'))).toEqual(['b:1', 'b:12']);
    expect(await survivors(tag('y'))).toEqual(['a:1', 'a:1:deep', 'b:12']);
    expect(await survivors(pattern('?:1*'))).toEqual(['a:2']);
    expect(await survivors(key('a', 1), tag('y'))).toEqual(['b:12']);
    expect(await survivors(key('nothing'))).toEqual(Object.keys(entries));
    expect(await survivors(everything())).toEqual([]);
  });

  it('for one tenant leaves the entries of another alone', async () => {
    const { cache } = setUp();
    const budgets = cache.query({
      name: 'fr:budgets',
      load: (orgId: string, period: string) => `${orgId} ${period}`,
      tags: (orgId) => [`org:${orgId}`],
    });
    const fill = () =>
      budgets.many([
        ['ORG1', '2025-11'],
        ['ORG1', '2025-12'],
        ['ORG10', '2025-11'],
        ['ORG2', '2025-11'],
      ]);
    for (const target of [budgets.at('ORG1'), tag('org:ORG1'), pattern('fr:budgets:ORG1:*')]) {
      await fill();
      await cache.invalidate(target);
      expect(budgets.peek('ORG1', '2025-11')).toBeUndefined();
      expect(budgets.peek('ORG1', '2025-12')).toBeUndefined();
      expect(budgets.peek('ORG10', '2025-11')).toBe('ORG10 2025-11');
      expect(budgets.peek('ORG2', '2025-11')).toBe('ORG2 2025-11');
    }
  });

  it('shares one record with the calls of the same tick', async () => {
    const { cache, log } = setUp();
    const append = vi.spyOn(log, 'append');
    const receipts = await Promise.all([cache.invalidate(key('a')), cache.invalidate(key('b')), cache.delete('c')]);
    expect(append.mock.calls).toEqual([[[expect.objectContaining({ targets: ['key a', 'key b', 'key c'] })]]]);
    expect(new Set(receipts.map((it) => it.token)).size).toBe(1);
  });

  it('has a record of its own for what has a cause, in the same append', async () => {
    const { cache, log } = setUp();
    const append = vi.spyOn(log, 'append');
    const cause = { event: 'budget.updated' };
    const calls = [cache.invalidate(key('a')), cache.invalidate([key('b')], { cause }), cache.invalidate(key('c'))];
    const receipts = await Promise.all(calls);
    expect(append).toHaveBeenCalledTimes(1);
    expect(append.mock.calls[0]?.[0].map((draft) => draft.targets)).toEqual([['key a'], ['key b'], ['key c']]);
    expect(new Set(receipts.map((it) => it.token)).size).toBe(3);
  });

  it('carries its cause to every node', async () => {
    const { cache, member } = setUp();
    const other = member();
    const cause = { event: 'budget.updated', entityType: 'budget', entityId: '7', fields: { org: 'ORG1' } };
    const receipt = await cache.invalidate([key('a'), tag('t')], { cause });
    const applied = other.events.flatMap((event) => (event.type === 'applied' ? [event.record] : []));
    expect(applied).toMatchObject([{ kind: 'invalidate', cause, targets: ['key a', 'tag t'] }]);
    expect(receipt.status).toBe('applied');
  });

  it.each<[string, unknown[]]>([
    [
      "\"user:42\" is not a target. Use key('user', 42), tag('org:7'), pattern('a:*'), everything(), or query.at(...).",
      ['user:42'],
    ],
    ['"user:42" is not a target.', [['user:42']]],
    ['[object Object] is not a target.', [{ kind: 'key', key: 'user:42' }]],
    ['undefined is not a target.', [undefined]],
    ['null is not a target.', [key('a'), null]],
    ['invalidate() was given nothing. Give it targets, or everything().', []],
    ['invalidate() was given nothing.', [[]]],
    ['[object Object] is not a target.', [key('a'), { cause: {} }]],
  ])('refuses what is no target: %s', async (message, args) => {
    const { cache, log } = setUp();
    const append = vi.spyOn(log, 'append');
    const call = (cache.invalidate as (...given: unknown[]) => Promise<unknown>).apply(cache, args);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_TARGET' });
    await expect(call).rejects.toThrow(message);
    expect(append).not.toHaveBeenCalled();
  });
});

describe('remember', () => {
  it('wraps a function, which then is a query of its name', async () => {
    const { cache } = setUp();
    const work = vi.fn((a: number, b: number) => a + b);
    const add = cache.remember('add', work, { ttl: '1s' });
    expect([await add(1, 2), await add(1, 2), await add(2, 2)]).toEqual([3, 3, 4]);
    expect(work).toHaveBeenCalledTimes(2);
    await cache.invalidate(add.at(1));
    expect(add.peek(1, 2)).toBeUndefined();
    expect(() => cache.query({ name: 'add', load: () => 1 })).toThrow('taken by another query');
  });
});

describe('bypass', () => {
  it('sends reads to their loaders, and keeps nothing of them', async () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: (id: number) => `loaded ${id}` });
    await cache.getOrSet(['user', 1], () => 'cached');
    await cache.bypass(async () => {
      expect(await user(1)).toBe('loaded 1');
      expect(await user.read(1)).toEqual({ value: 'loaded 1', from: 'loader', stale: false, mark: undefined, age: 0 });
      expect(await cache.getOrSet(['user', 1], () => 'inside')).toBe('inside');
      expect(await cache.getOrSet('user:1', () => 'inside')).toBe('inside');
      expect(await user.many([[1], [2]])).toEqual(['loaded 1', 'loaded 2']);
      expect(user.peek(1)).toBeUndefined();
      expect(await cache.get(['user', 1])).toBeUndefined();
    });
    expect(user.peek(1)).toBe('cached');
    expect(user.peek(2)).toBeUndefined();
  });

  it('goes on behind awaits and timers, and ends where it ends', async () => {
    const { cache } = setUp();
    await cache.getOrSet('k', () => 'cached');
    const read = () => cache.getOrSet('k', () => 'loaded');
    const inside = cache.bypass(async () => {
      await wait(1);
      const first = await read();
      return [first, await cache.bypass(read), await read()];
    });
    expect(await read()).toBe('cached');
    expect(await inside).toEqual(['loaded', 'loaded', 'loaded']);
    expect(await read()).toBe('cached');
  });

  it('shares no load with readers outside, in either direction', async () => {
    const { clock, cache } = setUp();
    const gates = { inside: new Gate<string>(), outside: new Gate<string>() };
    const outside = cache.getOrSet('k', () => gates.outside.promise);
    await clock.advance(0);
    const inside = cache.bypass(() => cache.getOrSet('k', () => gates.inside.promise));
    await clock.advance(0);
    gates.inside.open('uncommitted');
    gates.outside.open('committed');
    expect(await Promise.all([inside, outside])).toEqual(['uncommitted', 'committed']);
    expect(await cache.get('k')).toBe('committed');
  });

  it('hands on what its function returns or throws', () => {
    const { cache } = setUp();
    expect(cache.bypass(() => 1)).toBe(1);
    const error = new Error('rolled back');
    expect(() =>
      cache.bypass(() => {
        throw error;
      }),
    ).toThrow(error);
  });

  it('has the time limit of a load: nobody waits for ever', async () => {
    const clock = new FakeClock();
    const cache = createCache({ name: 'test', clock });
    let signal: AbortSignal | undefined;
    const hangs = (ctx: LoadContext) => {
      signal = ctx.signal;
      return new Promise<never>(() => {});
    };
    const read = cache.bypass(() => cache.getOrSet('k', hangs, { timeout: '1s' }));
    await Promise.all([expect(read).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' }), clock.advance(1_000)]);
    expect(signal?.aborted).toBe(true);
  });

  it('lets invalidations through', async () => {
    const { cache } = setUp();
    await cache.getOrSet('k', () => 'cached');
    await cache.bypass(() => cache.invalidate(key('k')));
    expect(await cache.get('k')).toBeUndefined();
  });

  it('is that of one cache', async () => {
    const { cache, member } = setUp();
    const other = member().cache;
    await other.getOrSet('k', () => 'cached');
    expect(await cache.bypass(() => other.getOrSet('k', () => 'loaded'))).toBe('cached');
  });
});

describe('a cache that is switched off', () => {
  it('loads every read, and stores nothing', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const set = vi.spyOn(store, 'set');
    const { cache } = setUp({ enabled: false, clock, store });
    const load = vi.fn((ctx: LoadContext) => ctx.key);
    expect(await cache.getOrSet('k', load)).toBe('k');
    expect(await cache.getOrSet('k', load)).toBe('k');
    expect(load).toHaveBeenCalledTimes(2);
    cache.set('k', 1, { mark: cache.mark() });
    expect(await cache.get('k')).toBeUndefined();
    await clock.advance(0);
    expect(set).not.toHaveBeenCalled();
    expect(cache.status()).toMatchObject({ attached: true, entries: 0 });
  });

  it('still tells the others what it has changed', async () => {
    const { cache, member } = setUp();
    await cache.getOrSet('k', () => 'old');
    const off = member({ enabled: false }).cache;
    expect((await off.invalidate(key('k'))).status).toBe('applied');
    expect(await cache.get('k')).toBeUndefined();
  });

  it('may be one query, or one read', async () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: vi.fn(() => ({})), enabled: false });
    expect(await user()).not.toBe(await user());
    expect(await user.with({ enabled: true })()).toBe(await user.with({ enabled: true })());
    const read = () => cache.getOrSet('k', () => ({}), { enabled: false });
    expect(await read()).not.toBe(await read());
    expect(cache.status().entries).toBe(1);
  });
});

describe('a cache that has to be opted in to', () => {
  it('keeps only what asks for it', async () => {
    const { cache } = setUp({ optIn: true });
    const load = vi.fn(() => ({}));
    const shy = cache.query({ name: 'shy', load });
    const open = cache.query({ name: 'open', load, enabled: true });
    expect(await shy()).not.toBe(await shy());
    expect(await open()).toBe(await open());
    expect(await cache.getOrSet('k', load)).not.toBe(await cache.getOrSet('k', load));
    const asked = () => cache.getOrSet('k', load, { enabled: true });
    expect(await asked()).toBe(await asked());
    expect(await cache.getOrSet('k', load)).not.toBe(await asked());
    expect(cache.status().entries).toBe(2);
  });

  it('shows what it has to those who only look', async () => {
    const { cache } = setUp({ optIn: true });
    cache.set('k', 'value', { mark: cache.mark() });
    expect(await cache.get('k')).toBe('value');
    expect(await cache.has('k')).toBe(true);
  });
});

describe('prefix', () => {
  it('is part of the name that every part is made with', () => {
    const contexts: PartContext[] = [];
    const log = (context: PartContext): InvalidationLog => {
      contexts.push(context);
      return new MemoryLog(logOptions(), context);
    };
    expect(createCache({ name: 'shop', prefix: 'staging', log }).name).toBe('staging:shop');
    expect(createCache({ name: 'shop', log }).name).toBe('shop');
    expect(contexts.map((it) => it.name)).toEqual(['staging:shop', 'shop']);
  });
});

describe('values in memory', () => {
  it('are shared references', async () => {
    const { cache } = setUp();
    const value = { list: [1] };
    expect(await cache.getOrSet('k', () => value)).toBe(value);
    expect(await cache.get('k')).toBe(value);
  });

  it('are frozen in development, so that a reader that changes one fails', async () => {
    const { cache } = setUp();
    const value = await cache.getOrSet('k', () => ({ list: [{ a: 1 }] }));
    expect(() => value.list.push({ a: 2 })).toThrow(TypeError);
    expect(() => {
      (value.list[0] as { a: number }).a = 2;
    }).toThrow(TypeError);
  });

  it('are not frozen in production, nor where it was switched off', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const inProduction = setUp().cache;
    vi.stubEnv('NODE_ENV', 'development');
    for (const cache of [inProduction, setUp({ freeze: false }).cache]) {
      const value = await cache.getOrSet('k', () => ({ list: [1] }));
      value.list.push(2);
      expect(await cache.get('k')).toEqual({ list: [1, 2] });
    }
    vi.stubEnv('NODE_ENV', 'production');
    const frozen = await setUp({ freeze: true }).cache.getOrSet('k', () => ({ a: 1 }));
    expect(Object.isFrozen(frozen)).toBe(true);
  });

  it('may be switched off', async () => {
    const { cache } = setUp({ memory: false });
    const load = vi.fn(() => 1);
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(load).toHaveBeenCalledTimes(2);
    expect(cache.status()).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('are bounded by number and by bytes, and each eviction is told', async () => {
    const few = setUp({ memory: { maxEntries: 2 } });
    for (const name of ['a', 'b', 'c']) await few.cache.getOrSet(name, () => 1);
    expect(few.events.filter((event) => event.type === 'evicted')).toEqual([{ type: 'evicted', key: 'a' }]);
    expect(few.cache.status().entries).toBe(2);
    const small = setUp({ memory: { maxBytes: '10kb' } });
    for (let i = 0; i < 10; i++) await small.cache.getOrSet(['k', i], () => 'x'.repeat(1_000));
    expect(small.cache.status().bytes).toBeLessThanOrEqual(10 * 1_024);
    expect(small.cache.status().entries).toBe(4);
    expect(await small.cache.getOrSet('huge', () => 'x'.repeat(100_000))).toHaveLength(100_000);
    expect(await small.cache.has('huge')).toBe(false);
  });
});

describe('ready', () => {
  it('resolves at once where the log is in this process', async () => {
    const { cache } = setUp();
    await cache.ready();
    expect(cache.status()).toMatchObject({ attached: true, position: cache.mark(), queued: 0, loading: 0 });
  });

  it('rejects after its timeout where the log does not answer; reads go to their loaders meanwhile', async () => {
    const { clock, log, member } = setUp();
    const link = new FaultyLog(log);
    link.cut('follow', 'append');
    const { cache } = member({ log: link });
    await Promise.all([
      expect(cache.ready({ timeout: '1s' })).rejects.toMatchObject({
        code: 'NOT_READY',
        message:
          "The cache is not attached to its log after 1000 ms. Reads go to their loaders meanwhile; check that the log's server is reachable.",
      }),
      clock.advance(1_000),
    ]);
    expect(cache.status().attached).toBe(false);
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(await cache.has('k')).toBe(false);
    link.mend('follow');
    await Promise.all([cache.ready(), clock.advance(5_000)]);
  });

  it('refuses a timeout that is none', async () => {
    await expect(setUp().cache.ready({ timeout: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('close', () => {
  it('ends every timer, and is done once', async () => {
    const { clock, log, member } = setUp();
    const link = new FaultyLog(log);
    const { cache } = member({ log: () => link });
    await cache.ready();
    await cache.getOrSet('k', () => 1);
    const closing = vi.spyOn(link, 'close');
    const both = await Promise.all([cache.close(), cache.close()]);
    expect([...both, await cache.close({ drain: 0 })]).toEqual([{ unsent: 0 }, { unsent: 0 }, { unsent: 0 }]);
    expect(closing).toHaveBeenCalledTimes(1);
    await clock.advance(5_000);
    expect(clock.timers).toBe(0);
    expect(cache.status()).toMatchObject({ attached: false, entries: 0 });
  });

  it('sends what is queued first, for as long as drain allows, and says what was not sent', async () => {
    for (const { mended, unsent } of [
      { mended: true, unsent: 0 },
      { mended: false, unsent: 2 },
    ]) {
      const { clock, log, member } = setUp();
      const link = new FaultyLog(log);
      const { cache } = member({ log: link });
      await cache.ready();
      link.cut('append');
      const receipts = [cache.invalidate(key('a')), cache.invalidate(key('b'))];
      await clock.advance(300);
      expect((await Promise.all(receipts)).map((it) => it.status)).toEqual(['queued', 'queued']);
      const closed = cache.close({ drain: '2s' });
      await clock.advance(500);
      if (mended) link.mend('append');
      await clock.advance(1_500);
      expect(await closed).toEqual({ unsent });
    }
  });

  it('aborts the loads that are under way; what they bring is returned, and not kept', async () => {
    const { clock, cache } = setUp();
    const slow = new Gate<string>();
    let signal: AbortSignal | undefined;
    const read = cache.getOrSet('k', (ctx) => {
      signal = ctx.signal;
      return slow.promise;
    });
    await clock.advance(0);
    await cache.close();
    expect(signal?.reason).toMatchObject({ code: 'CLOSED' });
    slow.open('value');
    expect(await read).toBe('value');
    expect(cache.status().entries).toBe(0);
  });

  it('closes the parts that were made for it, and leaves alone those that were handed in', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const part = memoryLog();
    const made = vi.fn((context: PartContext) => (typeof part === 'function' ? part(context) : part));
    const closeStore = vi.spyOn(store, 'close');
    const cache = createCache({ name: 'test', clock, log: made, store });
    const log = made.mock.results[0]?.value as InvalidationLog;
    const closeLog = vi.spyOn(log, 'close');
    await cache.close();
    expect(closeLog).toHaveBeenCalledTimes(1);
    expect(closeStore).not.toHaveBeenCalled();
    const other = createCache({ name: 'test', clock, log, store: () => store });
    await other.close();
    expect(closeLog).toHaveBeenCalledTimes(1);
    expect(closeStore).toHaveBeenCalledTimes(1);
  });

  it('rejects for a drain that is none', async () => {
    const { cache } = setUp();
    await expect(cache.close({ drain: 'long' as '1s' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(await cache.getOrSet('k', () => 'still open')).toBe('still open');
  });

  it('counts from when it was called, not from when it is done', async () => {
    const { clock, log, member } = setUp();
    const link = new FaultyLog(log);
    const { cache } = member({ log: link });
    await cache.ready();
    await cache.getOrSet('k', () => 1);
    link.stall('append');
    const queued = cache.invalidate(key('other'));
    const closed = cache.close();
    await expect(cache.getOrSet('k', () => 1)).rejects.toMatchObject({ code: 'CLOSED' });
    await clock.advance(2_000);
    expect([(await queued).status, await closed]).toEqual(['queued', { unsent: 1 }]);
  });

  it('leaves every later use to an error that says so', async () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: (id: number) => id });
    await user(1);
    await cache.getOrSet('k', () => 1);
    await cache.close();
    const error = { code: 'CLOSED', message: 'The cache "test" is closed. Make a new one, or close it later.' };
    const rejecting = [
      cache.getOrSet('k', () => 1),
      cache.getOrSet(['k'], () => 1),
      cache.get('k'),
      cache.getMany(['k']),
      cache.has('k'),
      cache.delete('k'),
      cache.invalidate(key('k')),
      cache.consistent([user.request(1)]),
      cache.ready(),
      user(1),
      user.read(1),
      user.many([[1]]),
      cache.bypass(() => user(1)),
    ];
    for (const outcome of await Promise.allSettled(rejecting))
      expect(outcome).toMatchObject({ status: 'rejected', reason: error });
    const throwing = [
      () => cache.set('k', 1, { mark: cache.mark() }),
      () => cache.query({ name: 'other', load: () => 1 }),
      () => cache.remember('other', () => 1),
      () => user.peek(1),
    ];
    for (const use of throwing) expect(use).toThrow(error.message);
  });
});

describe('invalidate with a cause that cannot be written', () => {
  it('rejects before anything is queued, so that what comes later is not held up', async () => {
    const cache = createCache({ name: 'test', clock: new FakeClock() });
    const cause = { fields: { n: 1n as unknown as string } };
    await expect(cache.invalidate([key('a')], { cause })).rejects.toThrow('cause.fields.n');
    expect(cache.status().queued).toBe(0);
    await expect(cache.invalidate([key('a')], { lsn: -1n })).rejects.toThrow('lsn');
    expect((await cache.invalidate([key('a')])).status).toBe('applied');
  });
});

describe('invalidate with a message id', () => {
  const id = 'ab'.repeat(16);

  it('appends the record under it, and nothing travels with that', async () => {
    const cache = createCache({ name: 'test', clock: new FakeClock() });
    const applied: string[] = [];
    cache.on((event) => {
      if (event.type === 'applied') applied.push(`${event.record.id} ${event.record.targets?.join('+')}`);
    });
    await Promise.all([cache.invalidate([key('a')], { id }), cache.invalidate([key('b')])]);
    expect(applied).toEqual([`${id} key a`, expect.stringMatching(/^(?!abab)[0-9a-f]{32} key b$/)]);
    await cache.close();
  });

  it('in a burst of calls that share a record keeps one of its own', async () => {
    const cache = createCache({ name: 'test', clock: new FakeClock() });
    const receipts = await Promise.all([
      cache.invalidate([key('a')], { id }),
      cache.invalidate(key('b')),
      cache.invalidate(key('c')),
    ]);
    const [own, ...shared] = receipts.map(({ token }) => token);
    expect(shared[0]).toBe(shared[1]);
    expect(shared).not.toContain(own);
    await cache.close();
  });

  it('refuses one that cannot be written, before anything is queued', async () => {
    const cache = createCache({ name: 'test', clock: new FakeClock() });
    await expect(cache.invalidate([key('a')], { id: '0'.repeat(32) })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(cache.status().queued).toBe(0);
    await cache.close();
  });
});
