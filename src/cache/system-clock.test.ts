import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock, systemRandom } from './system-clock.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const MONTH = 30 * 86_400_000;

it('keeps to times that no timer of Node can wait', () => {
  const run = vi.fn();
  systemClock.schedule(MONTH, run);
  vi.advanceTimersByTime(MONTH - 1);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
});

it('can be told not to, in whichever of its timers it is', () => {
  for (const after of [0, MONTH - 1]) {
    const run = vi.fn();
    const cancel = systemClock.schedule(MONTH, run);
    vi.advanceTimersByTime(after);
    cancel();
    vi.advanceTimersByTime(2 * MONTH);
    expect(run).not.toHaveBeenCalled();
  }
});

it('draws numbers from 0 to below 1 that differ, beyond its pool', () => {
  const random = systemRandom();
  const drawn = Array.from({ length: 1_000 }, random);
  expect(drawn.every((it) => it >= 0 && it < 1)).toBe(true);
  expect(new Set(drawn).size).toBeGreaterThan(990);
});
