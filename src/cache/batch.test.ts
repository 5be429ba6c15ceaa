import { describe, expect, it, vi } from 'vitest';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { type LoadContext, withContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, random: new SeededRandom(1).next, ...options });
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  const load = vi.fn(async (id: number) => `one ${id}`);
  const loadMany = vi.fn(async (list: readonly [id: number][], _contexts: readonly LoadContext[]) =>
    list.map(([id]) => `many ${id}`),
  );
  const user = cache.query({ name: 'user', load, loadMany, tags: (id) => [`u:${id}`] });
  /** The arguments of each call of loadMany. */
  const calls = (): number[][] => loadMany.mock.calls.map(([list]) => list.flat());
  return { clock, cache, events, load, loadMany, user, calls };
}

describe('many', () => {
  it('loads all that are missing by one call, and returns them in order', async () => {
    const { user, calls, load } = setUp();
    expect(await user.many([[3], [1], [2]])).toEqual(['many 3', 'many 1', 'many 2']);
    expect(calls()).toEqual([[3, 1, 2]]);
    expect(load).not.toHaveBeenCalled();
  });

  it('keeps each as a read of its own would', async () => {
    const { cache, user, load } = setUp();
    await user.many([[1], [2]]);
    expect(await user(1)).toBe('many 1');
    await cache.invalidate(user.at(1));
    expect([user.peek(1), user.peek(2)]).toEqual([undefined, 'many 2']);
    expect(load).not.toHaveBeenCalled();
  });

  it('asks for nothing where nothing is missing, or nothing is asked for', async () => {
    const { user, calls } = setUp();
    expect(await user.many([])).toEqual([]);
    await user.many([[1], [2]]);
    expect(await user.many([[2], [1]])).toEqual(['many 2', 'many 1']);
    expect(calls()).toEqual([[1, 2]]);
  });

  it('loads only what is in no tier', async () => {
    const clock = new FakeClock();
    const store = memoryStore()({ clock });
    const getMany = vi.spyOn(store, 'getMany');
    const { user, calls, cache } = setUp({ clock, store });
    await user.many([[1], [2]]);
    await clock.advance(0);
    getMany.mockClear();
    await cache.invalidate(key('user', 2));
    expect(await user.many([[1], [2], [3]])).toEqual(['many 1', 'many 2', 'many 3']);
    expect(calls().map((ids) => ids.toSorted((a, b) => a - b))).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(getMany.mock.calls).toEqual([[['user:2', 'user:3']]]);
  });

  it('asks once for arguments that are given twice', async () => {
    const { user, calls } = setUp();
    expect(await user.many([[1], [1], [2], [1]])).toEqual(['many 1', 'many 1', 'many 2', 'many 1']);
    expect(calls()).toEqual([[1, 2]]);
  });

  it('shares loads that are under way, and does not wait for them to load the rest', async () => {
    const { clock, user, calls, load } = setUp();
    const slow = new Gate<string>();
    load.mockReturnValueOnce(slow.promise);
    const single = user(1);
    const many = user.many([[1], [2], [3]]);
    await clock.advance(0);
    expect(calls()).toEqual([[2, 3]]);
    slow.open('slow 1');
    expect(await many).toEqual(['slow 1', 'many 2', 'many 3']);
    expect(await single).toBe('slow 1');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('is shared in turn by reads of one of its values', async () => {
    const { clock, user, calls, load } = setUp();
    const many = user.many([[1], [2]]);
    await clock.advance(0);
    expect(await user(2)).toBe('many 2');
    await many;
    expect(calls()).toEqual([[1, 2]]);
    expect(load).not.toHaveBeenCalled();
  });

  it.each([1, 2])('ends where two of them want the same in another order, with a budget of %i', async (concurrency) => {
    const { clock, user, calls } = setUp({ loads: { concurrency } });
    const all = Promise.all([user.many([[1], [2], [3]]), user.many([[3], [2], [4]]), user.many([[4], [1]])]);
    await clock.advance(0);
    expect(await all).toEqual([
      ['many 1', 'many 2', 'many 3'],
      ['many 3', 'many 2', 'many 4'],
      ['many 4', 'many 1'],
    ]);
    expect(calls()).toEqual([[1, 2, 3], [4]]);
  });

  it('is one load to the budget', async () => {
    const { clock, cache, user, loadMany } = setUp({ loads: { concurrency: 1 } });
    const slow = new Gate();
    loadMany.mockImplementationOnce(async (list) => {
      await slow.promise;
      return list.map(([id]) => `many ${id}`);
    });
    const many = user.many([[1], [2], [3]]);
    await clock.advance(0);
    expect(cache.status().loading).toBe(1);
    const other = cache.getOrSet('other', () => 'other');
    await clock.advance(0);
    slow.open();
    expect(await many).toHaveLength(3);
    expect(await other).toBe('other');
  });

  it('takes its marks after the wait for the budget: what was invalidated meanwhile is in what is loaded', async () => {
    const { clock, cache, user, calls } = setUp({ loads: { concurrency: 1 } });
    const slow = new Gate();
    const busy = cache.getOrSet('busy', () => slow.promise);
    const many = user.many([[1], [2]]);
    await clock.advance(0);
    await cache.invalidate(user.at());
    slow.open();
    await busy;
    expect(await many).toEqual(['many 1', 'many 2']);
    expect([user.peek(1), user.peek(2)]).toEqual(['many 1', 'many 2']);
    expect(calls()).toEqual([[1, 2]]);
  });

  it('does not count the wait for the budget against the timeout of its loads', async () => {
    const { clock, cache, user } = setUp({ loads: { concurrency: 1 } });
    const slow = new Gate();
    const busy = cache.getOrSet('busy', () => slow.promise);
    const many = user.with({ timeout: '1s' }).many([[1], [2]]);
    await clock.advance(5_000);
    slow.open();
    await busy;
    expect(await many).toEqual(['many 1', 'many 2']);
  });

  it('gives each argument its own context', async () => {
    const { cache } = setUp();
    const row = cache.query({
      name: 'row',
      load: withContext((ctx, id: number) => `${ctx.key} ${id}`),
      loadMany: (list, contexts) => {
        contexts[0]?.skip();
        contexts[1]?.tag('t');
        return list.map(([id], i) => `${contexts[i]?.key} ${id}`);
      },
    });
    expect(await row.many([[1], [2]])).toEqual(['row:1 1', 'row:2 2']);
    expect([row.peek(1), row.peek(2)]).toEqual([undefined, 'row:2 2']);
  });

  it('fails as a whole, with the same error, where loadMany fails', async () => {
    const { cache, user, loadMany, events } = setUp();
    const error = new Error('the database is down');
    for (const fail of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      loadMany.mockImplementationOnce(fail);
      await expect(user.many([[1], [2]])).rejects.toBe(error);
    }
    expect(events.filter((it) => it.type === 'load-failed')).toHaveLength(4);
    expect(cache.status()).toMatchObject({ entries: 0, loading: 0 });
    expect(await user.many([[1], [2]])).toEqual(['many 1', 'many 2']);
  });

  it.each([
    [[], '0 values'],
    [['a'], '1 values'],
    [['a', 'b', 'c'], '3 values'],
    [undefined, 'undefined'],
    [new Map(), '[object Map]'],
  ])('fails where loadMany returns %j for two lists of arguments, and keeps nothing', async (values, what) => {
    const { cache, user, loadMany } = setUp();
    loadMany.mockResolvedValueOnce(values as string[]);
    await expect(user.many([[1], [2]])).rejects.toMatchObject({
      code: 'INVALID_QUERY',
      message: `loadMany returned ${what} for 2 lists of arguments. Return one value for each, in their order.`,
    });
    expect(cache.status()).toMatchObject({ entries: 0, loading: 0 });
  });

  it('returns undefined where loadMany found none, and does not keep it', async () => {
    const { user, loadMany } = setUp();
    loadMany.mockResolvedValueOnce(['many 1', undefined as unknown as string]);
    expect(await user.many([[1], [2]])).toEqual(['many 1', undefined]);
    expect([user.peek(1), user.peek(2)]).toEqual(['many 1', undefined]);
  });

  it('gives up a loadMany that hangs after the timeout of its loads, and its place in the budget to others', async () => {
    const { clock, cache, user, loadMany } = setUp({ loads: { concurrency: 1 } });
    const slow = new Gate<string[]>();
    loadMany.mockReturnValueOnce(slow.promise);
    const many = user.with({ timeout: '1s' }).many([[1], [2]]);
    await Promise.all([expect(many).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' }), clock.advance(1_000)]);
    expect(await cache.getOrSet('next', () => 'loaded')).toBe('loaded');
    slow.open(['late 1', 'late 2']);
    await clock.advance(0);
    expect([user.peek(1), cache.status().loading]).toEqual([undefined, 0]);
  });

  it('loads one by one where the query has no loadMany', async () => {
    const { cache } = setUp();
    const load = vi.fn((id: number) => id);
    const row = cache.query({ name: 'row', load });
    expect(await row.many([[1], [2]])).toEqual([1, 2]);
    expect(load.mock.calls).toEqual([[1], [2]]);
  });

  it.each([
    ['inside bypass', {}],
    ['where the cache is switched off', { enabled: false }],
    ['where only those that ask are cached', { optIn: true }],
  ])('is one call, past the cache, %s', async (_what, options) => {
    const { cache, user, calls } = setUp(options);
    const read = () => user.many([[1], [2], [3]]);
    expect(await cache.bypass(read)).toEqual(['many 1', 'many 2', 'many 3']);
    expect(calls()).toEqual([[1, 2, 3]]);
    expect(cache.status().entries).toBe(0);
  });

  it('may return old values under grace', async () => {
    const { clock, user, loadMany } = setUp();
    await user.many([[1], [2]]);
    await clock.advance(300_000);
    loadMany.mockRejectedValueOnce(new Error('down'));
    expect(await user.with({ grace: '1m' }).many([[1], [2]])).toEqual(['many 1', 'many 2']);
  });

  it('refreshes late hits in the background', async () => {
    const { clock, user, calls } = setUp();
    await user.many([[1], [2]]);
    await clock.advance(290_000);
    expect(await user.with({ eagerRefresh: 0.5 }).many([[1], [2], [3]])).toHaveLength(3);
    await clock.advance(0);
    expect(
      calls()
        .flat()
        .sort((a, b) => a - b),
    ).toEqual([1, 1, 2, 2, 3]);
  });

  it('rejects, and throws nothing, for bad arguments', async () => {
    const { cache } = setUp();
    const row = cache.query({ name: 'row', load: (id: string) => id, loadMany: (list) => list.map(([id]) => id) });
    const read = row.many([['x'.repeat(2_000)]]);
    await expect(read).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });
});
