import { getRandomValues } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from '../coherence/clock.ts';

/** The clocks and timers of this process. Timers never keep it alive. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  schedule,
};

/** What one timer of Node can wait; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

function schedule(ms: number, run: () => void): Cancel {
  if (ms > LONGEST) {
    let cancel = schedule(LONGEST, () => {
      cancel = schedule(ms - LONGEST, run);
    });
    return () => cancel();
  }
  const timer = setTimeout(run, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

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
