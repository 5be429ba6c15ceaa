import { describe, expect, it } from 'vitest';
import { Misses } from './misses.ts';

function setUp(loadTime = 1_000) {
  const time = { now: 0 };
  const misses = new Misses(loadTime, () => time.now);
  const miss = (mark: string, name = 'k'): void => misses.note(name, mark);
  return { time, misses, miss, take: (name = 'k') => misses.take(name) };
}

describe('misses', () => {
  it('give the mark of the miss to what is set next, once', () => {
    const { miss, take } = setUp();
    expect(take()).toBeUndefined();
    miss('m1');
    miss('m2', 'other');
    expect(take()).toBe('m1');
    expect(take()).toBeUndefined();
    expect(take('other')).toBe('m2');
  });

  it('take every set for the oldest of several that may be loading', () => {
    const { miss, take } = setUp();
    for (const mark of ['m1', 'm2', 'm2', 'm3']) miss(mark);
    expect([take(), take(), take(), take(), take()]).toEqual(['m1', 'm1', 'm1', 'm1', undefined]);
    miss('m4');
    expect(take()).toBe('m4');
  });

  it('forget a load that never set anything once its time is over, and no earlier', () => {
    const { time, miss, take } = setUp();
    miss('failed');
    time.now = 999;
    miss('m2');
    expect(take()).toBe('failed');
    time.now = 1_000;
    // The one that is open may still be the second.
    expect(take()).toBe('m2');
    miss('m3');
    time.now = 3_000;
    expect(take()).toBeUndefined();
  });

  it('never take a later load for over because an earlier one is', () => {
    const { time, miss, take } = setUp();
    miss('m1');
    time.now = 900;
    miss('m2');
    time.now = 950;
    expect(take()).toBe('m1'); // by the first, or by the second
    time.now = 1_850;
    expect(take()).toBe('m2');
  });

  it('hold many marks of one key as few, with the older one for both', () => {
    const { time, miss, take } = setUp();
    for (let i = 0; i < 100; i++) miss(`m${i}`);
    expect(take()).toBe('m0');
    time.now = 999;
    expect(take()).toBe('m0');
  });

  it('treat what is set to a key that was given up as the oldest of those', { timeout: 30_000 }, () => {
    const { time, miss, take } = setUp();
    for (let i = 0; i < 100_002; i++) miss(`m${i}`, `k${i}`);
    expect(take('k0')).toBe('m0');
    expect(take('k1')).toBe('m0');
    expect(take('k2')).toBe('m2');
    time.now = 1_000;
    expect(take('k0')).toBeUndefined();
  });
});
