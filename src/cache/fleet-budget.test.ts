import { describe, expect, it } from 'vitest';
import { memoryLog } from '../coherence/memory-log.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { Places } from './places.ts';

/** Places in this process, for all caches of a test. */
class Room implements Places {
  taken = 0;
  broken = false;
  hangs = false;

  take(limit: number): ReturnType<Places['take']> {
    if (this.broken) return Promise.reject(new Error('no server'));
    if (this.hangs) return new Promise(() => {});
    if (this.taken >= limit) return Promise.resolve({ granted: false, wait: 5 });
    this.taken++;
    const release = (): Promise<void> => {
      this.taken--;
      return Promise.resolve();
    };
    return Promise.resolve({ granted: true, release });
  }
}

function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const places = new Room();
  const running = { now: 0, most: 0 };
  const load = async (): Promise<string> => {
    running.most = Math.max(running.most, ++running.now);
    await new Promise<void>((resolve) => clock.schedule(10, resolve));
    running.now--;
    return 'value';
  };
  const log = memoryLog();
  const member = () =>
    createCache({ name: 'test', clock, log, places, loads: { concurrency: 4, fleet: 3 }, ...options });
  return { clock, places, running, load, member };
}

describe('loads.fleet', () => {
  it('is the most loaders that run at once in all processes together', async () => {
    const { clock, places, running, load, member } = setUp();
    const caches = [member(), member(), member()];
    const reads = caches.flatMap((cache) => Array.from({ length: 8 }, (_, i) => cache.getOrSet(['k', i], load)));
    const user = caches[0]?.query({ name: 'user', load, loadMany: async (all) => [...all].map(String) });
    const many = user?.many([[], []]);
    await clock.advance(1_000);
    expect(await Promise.all(reads)).toHaveLength(24);
    await many;
    expect(running).toEqual({ now: 0, most: 3 });
    expect(places.taken).toBe(0);
  });

  it('gives the place of a loader that fails, or hangs until its timeout, to the next', async () => {
    const { clock, places, member } = setUp({ loads: { fleet: 1 } });
    const cache = member();
    const reads = [
      cache.getOrSet('a', () => Promise.reject(new Error('no'))),
      cache.getOrSet('b', () => new Promise<never>(() => {}), { timeout: 100 }),
      cache.getOrSet('c', () => 'loaded'),
    ];
    const outcomes = Promise.allSettled(reads);
    await clock.advance(200);
    expect((await outcomes).map((it) => it.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(places.taken).toBe(0);
  });

  it.each(['broken', 'hangs'] as const)('holds nobody up where nobody counts: %s', async (how) => {
    const { clock, places, running, load, member } = setUp({ requestTimeout: 50 });
    places[how] = true;
    const cache = member();
    const failed: string[] = [];
    cache.on((event) => void failed.push(event.type));
    const reads = Array.from({ length: 8 }, (_, i) => cache.getOrSet(['k', i], load));
    await clock.advance(1_000);
    expect(await Promise.all(reads)).toHaveLength(8);
    expect(running.most).toBeLessThanOrEqual(4);
    expect(failed).toContain('places-failed');
  });

  it('lets those who wait go when the cache is closed, and leaves nothing behind', async () => {
    const { clock, places, load, member } = setUp();
    places.taken = 3;
    const cache = member();
    const read = cache.getOrSet('k', load);
    await clock.advance(20);
    const closing = cache.close();
    await clock.advance(50);
    await closing;
    expect(await read).toBe('value');
    expect(clock.timers).toBe(0);
  });

  it('is refused without places, and where it is no number', () => {
    const { clock } = setUp();
    expect(() => createCache({ name: 'test', clock, loads: { fleet: 3 } })).toThrow('Give the part `places`');
    expect(() => createCache({ name: 'test', clock, places: new Room(), loads: { fleet: 0 } })).toThrow(
      'loads.fleet: 0 is not a positive whole number.',
    );
  });
});
