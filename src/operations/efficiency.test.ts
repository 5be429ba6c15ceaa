import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createOperations, type Operations } from './operations.ts';

function setUp(options: Omit<CacheOptions, 'name'> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, ...options });
  const operations = createOperations(cache);
  const takes = async (ms: number): Promise<number> => {
    await clock.advance(ms);
    return ms;
  };
  return { clock, cache, operations, takes };
}

async function times(count: number, read: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await read(i);
}

const adviceOf = (operations: Operations): readonly string[] => operations.metrics().efficiency.advice;

describe('the score', () => {
  it('is the share of the time that nobody had to wait', async () => {
    const { cache, operations, takes } = setUp();
    expect(operations.metrics().efficiency.score).toBeUndefined();
    const slow = cache.query({ name: 'slow', load: () => takes(90) });
    const quick = cache.query({ name: 'quick', load: (id: number) => takes(id < 0 ? 0 : 1) });
    await times(10, () => slow());
    await times(10, (i) => quick(i));
    // Loads would have taken 900 and 10 ms. They took 90 and 10.
    expect(operations.metrics().efficiency.score).toBeCloseTo(100 * (1 - 100 / 910), 0);
    expect(operations.metrics().total.hitRate).toBe(0.45);
    await operations.close();
  });
});

describe('advice', () => {
  it('is not given on few reads, nor where all is well', async () => {
    const { cache, operations } = setUp();
    const keys = cache.query({ name: 'q', load: (id: number) => id });
    await times(99, (i) => keys(i));
    expect(adviceOf(operations)).toEqual([]);
    operations.resetMetrics();
    await times(1_000, (i) => keys(i % 10));
    expect(adviceOf(operations)).toEqual([]);
    await operations.close();
  });

  it('names the query and why it misses', async () => {
    const { cache, clock, operations } = setUp();
    const short = cache.query({ name: 'short', load: () => 1, ttl: '1s' });
    const wide = cache.query({ name: 'wide', load: () => 1, tags: () => ['t'] });
    await times(150, async () => {
      await short();
      await clock.advance(1_001);
    });
    await times(120, async () => {
      await wide();
      await cache.invalidate(tag('t'));
    });
    const [first, second, ...others] = adviceOf(operations);
    expect(first).toMatch(/^short: 0 % of reads are hits, mostly since their entry had expired: raise its ttl/);
    expect(second).toMatch(/^wide: 0 % of reads are hits, mostly since their entry was invalidated/);
    expect(others).toEqual([]);
    await operations.close();
  });

  it('is given on a memory that is too small', async () => {
    const { cache, operations } = setUp({ memory: { maxEntries: 10 } });
    const keys = cache.query({ name: 'q', load: (id: number) => id });
    await times(300, (i) => keys(i));
    expect(adviceOf(operations).join()).toMatch(/has evicted 290 entries, for 300 loads: raise memory.maxEntries/);
    await operations.close();
  });

  it('is given on loads that fail, and on a store that does', async () => {
    const broken = { ...memoryStore()({ clock: new FakeClock() }), getMany: () => Promise.reject(new Error('no')) };
    const { cache, operations } = setUp({ store: broken });
    const failing = cache.query({ name: 'failing', load: (): number => Promise.reject(new Error('no')) as never });
    await times(120, () => failing().catch(() => 0));
    const advice = adviceOf(operations).join('\n');
    expect(advice).toMatch(/failing: 120 of its loads have failed: give it grace/);
    expect(advice).toMatch(/The store has failed 120 times/);
    await operations.close();
  });
});
