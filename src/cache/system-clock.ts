import { getRandomValues } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../coherence/clock.ts';

/** The clocks and timers of this process. Timers never keep it alive. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  schedule(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Numbers in [0, 1) with 32 random bits, drawn from the system in pools: ids and epochs must not collide. */
export function systemRandom(): () => number {
  const pool = new Uint32Array(256);
  let left = 0;
  return () => {
    if (left === 0) {
      getRandomValues(pool);
      left = pool.length;
    }
    return (pool[--left] as number) / 2 ** 32;
  };
}
