import { afterEach, describe, expect, it } from 'vitest';
import { everything, key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';

const caches: Cache[] = [];

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

function setUp(options: Partial<CacheOptions> = {}): {
  cache: Cache;
  clock: FakeClock;
  fill: (count: number) => Promise<void>;
} {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, defaults: { ttl: '1h' }, ...options });
  caches.push(cache);
  const fill = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await cache.getOrSet(['e', i], () => i, { tags: [i % 2 === 0 ? 'even' : 'odd'] });
  };
  return { cache, clock, fill };
}

describe('the sweep', () => {
  it('frees what is covered, half a minute after it was last proven valid, and nothing else', async () => {
    const { cache, clock, fill } = setUp();
    await fill(10);
    await cache.invalidate(tag('odd'));
    await clock.advance(30_000);
    expect(cache.status().entries).toBe(10);
    await clock.advance(2_000);
    expect(cache.status().entries).toBe(5);
    expect(await cache.get('e:0')).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('goes through many entries in slices, and ends', async () => {
    const { cache, clock, fill } = setUp();
    await fill(2_000);
    await clock.advance(31_000);
    await cache.invalidate(everything());
    await clock.advance(1_000);
    expect(cache.status().entries).toBe(1_500);
    await clock.advance(5);
    expect(cache.status().entries).toBe(1_000);
    await clock.advance(1_000);
    expect(cache.status()).toMatchObject({ entries: 0, bytes: 0 });
    expect(clock.timers).toBe(0);
  });

  it('runs again for what is covered while it runs', async () => {
    const { cache, clock, fill } = setUp();
    await fill(2_000);
    await clock.advance(31_000);
    await cache.invalidate(tag('odd'));
    await clock.advance(1_000);
    await cache.invalidate(tag('even'));
    await clock.advance(3_000);
    expect(cache.status().entries).toBe(0);
  });

  it('does nothing where nothing happens', async () => {
    const { clock, fill } = setUp();
    await fill(10);
    await clock.advance(60_000);
    expect(clock.timers).toBe(0);
  });

  it('leaves what may still stand in, for as long as it may', async () => {
    const { cache, clock } = setUp();
    const fail = (): never => {
      throw new Error('no source');
    };
    await cache.getOrSet('a', () => 'old', { grace: '1m' });
    await cache.invalidate(key('a'));
    await clock.advance(50_000);
    expect(await cache.getOrSet('a', fail, { grace: '1m' })).toBe('old');
    await clock.advance(12_000);
    expect(cache.status().entries).toBe(0);
  });

  it('leaves what a reader has once tolerated', async () => {
    const { cache, clock } = setUp();
    await cache.getOrSet('b', () => 1, { maxStaleness: '2m' });
    await cache.getOrSet('a', () => 'old');
    await cache.invalidate(key('a'));
    await clock.advance(100_000);
    expect(await cache.getOrSet('a', () => 'new', { maxStaleness: '2m' })).toBe('old');
  });

  it('ends with its cache', async () => {
    const { cache, clock, fill } = setUp();
    await fill(2_000);
    await cache.invalidate(everything());
    await clock.advance(1_000);
    await cache.close();
    expect(clock.timers).toBe(0);
  });
});
