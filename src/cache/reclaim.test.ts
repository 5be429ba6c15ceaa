import { afterEach, describe, expect, it, vi } from 'vitest';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

const caches: Cache[] = [];

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

function setUp(options: Partial<CacheOptions> = {}): {
  cache: Cache;
  store: Store;
  events: CacheEvent[];
  clock: FakeClock;
} {
  const clock = new FakeClock();
  const store = memoryStore({ reclaim: 'eager' })({ clock });
  const cache = createCache({ name: 'test', clock, store, ...options });
  caches.push(cache);
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  return { cache, store, events, clock };
}

describe('a store that frees what is covered', () => {
  it('is told after the append, and the receipt says how many entries there were', async () => {
    const { cache, store, clock } = setUp();
    for (const id of [1, 2, 3]) await cache.getOrSet(['user', id], () => id, { tags: [id === 3 ? 'b' : 'a'] });
    await clock.advance(0); // what is written to the store is not waited for
    expect(await cache.invalidate(tag('a'))).toMatchObject({ status: 'applied', removed: 2 });
    expect(await store.getMany(['user:1', 'user:2', 'user:3'])).toEqual([undefined, undefined, expect.anything()]);
    expect(await cache.invalidate(key('user'))).toMatchObject({ removed: 1 });
    expect(await cache.invalidate(key('user'))).toMatchObject({ removed: 0 });
  });

  it('puts the number into the log line', async () => {
    const info = vi.fn();
    const logger = { debug: vi.fn(), info, warn: vi.fn(), error: vi.fn() };
    const { cache, clock } = setUp({ logger });
    await cache.getOrSet('user:1', () => 1);
    await clock.advance(0);
    await cache.invalidate([key('user')], { cause: { fields: { org: 'ORG1' } } });
    expect(info).toHaveBeenCalledWith(
      expect.objectContaining({ event: 'cache_bust', keys_cleared: 1 }),
      'cache_bust org=ORG1 prefixes=user removed=1',
    );
  });

  it('that fails is reported, and the receipt says nothing of it', async () => {
    const { cache, store, events } = setUp();
    const error = new Error('no store');
    store.reclaim = () => Promise.reject(error);
    const receipt = await cache.invalidate(key('a'));
    expect(receipt.status).toBe('applied');
    expect('removed' in receipt).toBe(false);
    expect(events).toContainEqual({ type: 'store-failed', operation: 'reclaim', keys: [], error });
  });

  it('is not asked for what is queued', async () => {
    const log = {
      append: () => Promise.reject(new Error('no log')),
      read: () => Promise.reject(new Error('no log')),
      snapshot: () => Promise.reject(new Error('no log')),
      close: () => Promise.resolve(),
    };
    const { cache, store, clock } = setUp({ log });
    const reclaim = vi.fn(() => Promise.resolve(1));
    store.reclaim = reclaim;
    const receipt = cache.invalidate(key('a'));
    await clock.advance(300);
    expect(await receipt).toMatchObject({ status: 'queued' });
    expect(reclaim).not.toHaveBeenCalled();
    const closing = cache.close({ drain: 0 });
    await clock.advance(1_000);
    await closing;
  });
});
