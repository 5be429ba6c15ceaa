import { describe, expect, it, vi } from 'vitest';
import type { Clock } from '../coherence/clock.ts';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { key } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { Lease, LeaseAnswer } from './lease.ts';
import { memoryStore } from './memory-store.ts';

/** A lease in memory: one holder for each key, until it releases it or its time is over. */
class MemoryLease implements Lease {
  readonly #clock: Clock;
  readonly #held = new Map<string, number>();
  readonly asked: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get held(): string[] {
    return [...this.#held].flatMap(([name, until]) => (this.#clock.monotonic() < until ? [name] : []));
  }

  acquire(name: string, time: number): Promise<LeaseAnswer> {
    this.asked.push(name);
    if (this.held.includes(name)) return Promise.resolve({ granted: false, wait: 10 });
    this.#held.set(name, this.#clock.monotonic() + time);
    const release = async (): Promise<void> => void this.#held.delete(name);
    const extend = async (more: number): Promise<boolean> => {
      if (!this.held.includes(name)) return false;
      this.#held.set(name, this.#clock.monotonic() + more);
      return true;
    };
    return Promise.resolve({ granted: true, release, extend });
  }
}

/** A fleet: caches that share one clock, one log, one store and one lease. */
function setUp() {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const kept = memoryStore()({ clock });
  const store = alteredStore(kept);
  const lease = new MemoryLease(clock);
  const member = (options: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name: 'test', clock, random, log, store, lease, ...options });
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    const failures = () => events.flatMap((event) => (event.type === 'lease-failed' ? [event] : []));
    return { cache, failures };
  };
  /** A loader of so many ms that counts its calls. */
  const loader = (ms: number) =>
    vi.fn(async () => {
      await new Promise<void>((resolve) => clock.schedule(ms, resolve));
      return 'value';
    });
  return { clock, kept, store, lease, member, loader };
}

describe('the lease', () => {
  it('lets one process of the fleet load a key; the others wait for its fill', async () => {
    const { clock, lease, member, loader } = setUp();
    const load = loader(100);
    const reads = Array.from({ length: 5 }, () => member().cache.getOrSet('k', load));
    await clock.advance(200);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 5 }, () => 'value'));
    expect(load).toHaveBeenCalledTimes(1);
    expect(lease.held).toEqual([]);
  });

  it('is held for as long as the load goes on, however long that is', async () => {
    const { clock, lease, member, loader } = setUp();
    const load = loader(20_000);
    const reads = Array.from({ length: 3 }, () => member().cache.getOrSet('k', load, { timeout: '30s' }));
    await clock.advance(19_990);
    expect(lease.held).toEqual(['k']);
    await clock.advance(100);
    expect(await Promise.all(reads)).toEqual(['value', 'value', 'value']);
    expect(load).toHaveBeenCalledTimes(1);
    expect(lease.held).toEqual([]);
  });

  it('of a holder that died keeps the others waiting for two seconds, not for as long as a load may take', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('k', 2_000);
    const load = vi.fn(() => 'value');
    const read = member().cache.getOrSet('k', load, { timeout: '30s' });
    await clock.advance(1_990);
    expect(load).not.toHaveBeenCalled();
    await clock.advance(50);
    expect(await read).toBe('value');
  });

  it('that was lost is not fought for, and one that cannot be extended now is tried again', async () => {
    const { clock, lease, member, loader } = setUp();
    const extend = vi.fn(() => Promise.reject<boolean>(new Error('no server')));
    const acquire = async (): Promise<LeaseAnswer> => ({ granted: true, release: () => Promise.resolve(), extend });
    const read = member({ lease: { acquire } }).cache.getOrSet('k', loader(5_000));
    await clock.advance(3_500);
    expect(extend).toHaveBeenCalledTimes(3);
    extend.mockImplementation(() => Promise.resolve(false));
    await clock.advance(1_500);
    expect(await read).toBe('value');
    expect(extend).toHaveBeenCalledTimes(4);
    expect(lease.held).toEqual([]);
  });

  it('is of one key: others are loaded meanwhile', async () => {
    const { clock, member, loader } = setUp();
    const slow = member().cache.getOrSet('slow', loader(100));
    await clock.advance(0);
    expect(await member().cache.getOrSet('other', () => 1)).toBe(1);
    await clock.advance(100);
    await slow;
  });

  it('is held until the value is in the store: who asks in between must not load again', async () => {
    const { clock, kept, store, member, loader } = setUp();
    store.set = async (...entry) => {
      await new Promise<void>((resolve) => clock.schedule(50, resolve));
      await kept.set(...entry);
    };
    const load = loader(100);
    const first = member().cache.getOrSet('k', load);
    await clock.advance(0);
    const second = member().cache.getOrSet('k', load);
    await clock.advance(100);
    expect(await first).toBe('value'); // and its reader does not wait for the store
    await clock.advance(100);
    expect(await second).toBe('value');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('granted after a wait is not used where the last holder has brought the value in the very last moment', async () => {
    const { clock, lease, member } = setUp();
    const { cache } = member();
    await lease.acquire('k', 95);
    const load = vi.fn(() => 'loaded twice');
    const read = cache.getOrSet('k', load);
    await clock.advance(90);
    // The holder's fill arrives between the last look of who waits and its next question.
    await member({ lease: new MemoryLease(clock) }).cache.getOrSet('k', () => 'filled');
    await clock.advance(10);
    expect(await read).toBe('filled');
    expect(load).not.toHaveBeenCalled();
    expect(lease.held).toEqual([]);
  });

  it('is asked for once by all who share a flight, and not for a hit', async () => {
    const { clock, lease, member } = setUp();
    const { cache } = member();
    await Promise.all([cache.getOrSet('k', () => 1), cache.getOrSet('k', () => 1)]);
    await cache.getOrSet('k', () => 1);
    await clock.advance(0);
    await member().cache.getOrSet('k', () => 1);
    expect(lease.asked).toEqual(['k']);
  });

  it('is given back by a loader that fails, so that the next may try', async () => {
    const { clock, lease, member } = setUp();
    await expect(member().cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await clock.advance(0);
    expect(lease.held).toEqual([]);
    expect(await member().cache.getOrSet('k', () => 'value')).toBe('value');
  });

  it('that its holder died with is waited for no longer than a load may take', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('k', 60_000);
    const load = vi.fn(() => 'value');
    const read = member().cache.getOrSet('k', load, { timeout: '2s' });
    await clock.advance(1_999);
    expect(load).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(await read).toBe('value');
  });

  it('of a dead holder that has run out is taken over', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('k', 500);
    const load = vi.fn(() => 'value');
    const read = member().cache.getOrSet('k', load);
    await clock.advance(499);
    expect(load).not.toHaveBeenCalled();
    await clock.advance(10);
    expect(await read).toBe('value');
  });

  it('lets the mark be taken after it: what was invalidated during the wait is in what is loaded', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('k', 100);
    const { cache } = member();
    const load = vi.fn(() => 'value');
    const read = cache.getOrSet('k', load);
    await clock.advance(50);
    await cache.invalidate(key('k'));
    await clock.advance(100);
    expect(await read).toBe('value');
    expect(await cache.get('k')).toBe('value');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('does not make a fill good that was invalidated meanwhile: who waited for it loads', async () => {
    const { clock, member, loader } = setUp();
    const a = member().cache;
    const b = member().cache;
    const first = a.getOrSet('k', loader(100));
    await clock.advance(0);
    const second = b.getOrSet('k', () => 'new');
    await clock.advance(50);
    await a.invalidate(key('k'));
    await clock.advance(100);
    expect(await first).toBe('value');
    expect(await second).toBe('new');
  });

  it('is not waited for by a reader whose token this node has not reached', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('k', 60_000);
    const { cache } = member();
    const read = cache.getOrSet('k', () => 'value', { atLeast: '1.queued' });
    await clock.advance(0);
    expect(await read).toBe('value');
  });

  it('is waited for by a batch without holding up its other values', async () => {
    const { clock, lease, member } = setUp();
    await lease.acquire('user:1', 100);
    const { cache } = member();
    const loadMany = vi.fn((list: readonly [id: number][]) => list.map(([id]) => id));
    const user = cache.query({ name: 'user', load: (id: number) => id, loadMany });
    const read = user.many([[1], [2], [3]]);
    await clock.advance(0);
    expect(loadMany.mock.calls.map(([list]) => list)).toEqual([[[2], [3]]]);
    await clock.advance(200);
    expect(await read).toEqual([1, 2, 3]);
    expect(loadMany.mock.calls.map(([list]) => list)).toEqual([[[2], [3]], [[1]]]);
  });
});

describe('a lease that fails', () => {
  const refused = new Error('connection refused');

  it.each([
    ['rejects', () => Promise.reject(refused)],
    [
      'throws',
      () => {
        throw refused;
      },
    ],
  ])('and %s keeps nobody from loading, and is reported', async (_what, acquire) => {
    const { cache, failures } = setUp().member({ lease: { acquire } });
    expect(await cache.getOrSet('k', () => 'value')).toBe('value');
    expect(await cache.get('k')).toBe('value');
    expect(failures()).toEqual([{ type: 'lease-failed', key: 'k', error: refused }]);
  });

  it('and does not answer is given up after the deadline, and given back when it was granted too late', async () => {
    const { clock, member } = setUp();
    const answer = new Gate<LeaseAnswer>();
    const { cache, failures } = member({ lease: { acquire: () => answer.promise }, requestTimeout: '100ms' });
    const load = vi.fn(() => 'value');
    const read = cache.getOrSet('k', load);
    await clock.advance(99);
    expect(load).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(await read).toBe('value');
    expect(failures()).toMatchObject([{ error: { message: 'the lease was not answered in time' } }]);
    const release = vi.fn(() => Promise.resolve());
    answer.open({ granted: true, release, extend: () => Promise.resolve(true) });
    await clock.advance(0);
    expect(release).toHaveBeenCalledTimes(1);
  });

  it('when it is given back costs nobody the value, and is reported', async () => {
    const { clock, member } = setUp();
    const answer: LeaseAnswer = {
      granted: true,
      release: () => Promise.reject(refused),
      extend: () => Promise.resolve(true),
    };
    const { cache, failures } = member({ lease: { acquire: () => Promise.resolve(answer) } });
    expect(await cache.getOrSet('k', () => 'value')).toBe('value');
    await clock.advance(0);
    expect(failures()).toEqual([{ type: 'lease-failed', key: 'k', error: refused }]);
  });
});
