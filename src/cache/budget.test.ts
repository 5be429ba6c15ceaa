import { describe, expect, it, vi } from 'vitest';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { Budget } from './budget.ts';
import { createCache } from './cache.ts';

function setUp(concurrency: number) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, random: new SeededRandom(1).next, loads: { concurrency } });
  const running = { now: 0, most: 0 };
  /** A loader of 10 ms that counts how many run at once. */
  const load = async (ctx: { key: string }): Promise<string> => {
    running.most = Math.max(running.most, ++running.now);
    await new Promise<void>((resolve) => clock.schedule(10, resolve));
    running.now--;
    return ctx.key;
  };
  return { clock, cache, running, load };
}

describe('Budget', () => {
  it('gives places in the order in which they were asked for', async () => {
    const budget = new Budget(1);
    const order: string[] = [];
    expect(budget.take(10)).toBeUndefined();
    const second = budget.take(10)?.then(() => order.push('second'));
    const third = budget.take(10)?.then(() => order.push('third'));
    expect({ running: budget.running, waiting: budget.waiting }).toEqual({ running: 1, waiting: 2 });
    budget.give();
    await second;
    expect(order).toEqual(['second']);
    budget.give();
    await third;
    budget.give();
    expect({ running: budget.running, waiting: budget.waiting }).toEqual({ running: 0, waiting: 0 });
  });
});

describe('loads.concurrency', () => {
  it('is the most loaders that run at once, whatever they are asked by', async () => {
    const { clock, cache, running, load } = setUp(3);
    const user = cache.query({ name: 'user', load: (id: number) => load({ key: `user:${id}` }) });
    const reads = [
      ...Array.from({ length: 10 }, (_, i) => cache.getOrSet(['k', i], load)),
      ...Array.from({ length: 10 }, (_, i) => user(i)),
      user.many([[20], [21], [22], [23]]).then((list) => list.join()),
    ];
    await clock.advance(9);
    expect(cache.status().loading).toBe(3);
    await clock.advance(100);
    expect(await Promise.all(reads)).toHaveLength(21);
    expect(running).toEqual({ now: 0, most: 3 });
    expect(cache.status().loading).toBe(0);
  });

  it('gives the place of a loader that fails, or hangs until its timeout, to the next', async () => {
    const { clock, cache } = setUp(1);
    const failing = cache.getOrSet('a', () => Promise.reject(new Error('no')));
    const hanging = cache.getOrSet('b', () => new Promise<never>(() => {}), { timeout: 100 });
    const waiting = cache.getOrSet('c', () => 'loaded');
    const outcomes = Promise.allSettled([failing, hanging, waiting]);
    await clock.advance(100);
    expect((await outcomes).map((it) => it.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(cache.status().loading).toBe(0);
  });

  it('does not count the time of waiting against the timeout of a load', async () => {
    const { clock, cache, load } = setUp(1);
    const reads = Array.from({ length: 5 }, (_, i) => cache.getOrSet(['k', i], load, { timeout: 15 }));
    await clock.advance(50);
    expect(await Promise.all(reads)).toHaveLength(5);
  });

  it('does not hold up hits', async () => {
    const { clock, cache } = setUp(1);
    await cache.getOrSet('warm', () => 'value');
    const busy = cache.getOrSet('cold', () => new Promise<never>(() => {}), { timeout: 10 });
    busy.catch(() => {});
    expect(await cache.getOrSet('warm', () => 'unused')).toBe('value');
    await clock.advance(10);
  });

  it('lets the mark be taken after the wait: what was invalidated meanwhile is in what is loaded', async () => {
    const { clock, cache } = setUp(1);
    const slow = new Gate();
    const busy = cache.getOrSet('busy', () => slow.promise);
    const load = vi.fn(() => 'value');
    const waiting = cache.getOrSet('k', load);
    await clock.advance(0);
    await cache.invalidate(key('k'));
    expect(load).not.toHaveBeenCalled();
    slow.open();
    await busy;
    expect(await waiting).toBe('value');
    expect(await cache.get('k')).toBe('value');
  });

  it('lets a reader that comes during the wait share the load, whatever was invalidated meanwhile', async () => {
    const { clock, cache } = setUp(1);
    const slow = new Gate();
    const busy = cache.getOrSet('busy', () => slow.promise);
    const load = vi.fn(() => 'value');
    const reads = [cache.getOrSet('k', load)];
    await clock.advance(0);
    await cache.invalidate(key('k'));
    reads.push(cache.getOrSet('k', load));
    await clock.advance(0);
    slow.open();
    await busy;
    expect(await Promise.all(reads)).toEqual(['value', 'value']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each([0, -1, 1.5, Number.NaN, '3'])('refuses %j', (concurrency) => {
    expect(() => createCache({ name: 'test', loads: { concurrency: concurrency as number } })).toThrow(
      `loads.concurrency: ${JSON.stringify(concurrency).replace('null', 'NaN')} is not a positive whole number.`,
    );
  });
});
