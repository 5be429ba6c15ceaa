import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { memoryStore } from '../cache/memory-store.ts';
import type { Store } from '../cache/store.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Meter } from './meter.ts';
import type { MetricsOptions } from './metrics.ts';

function setUp(
  options?: MetricsOptions,
  parts: { readonly store?: Store; readonly memory?: { readonly maxEntries: number } } = {},
) {
  const clock = new FakeClock();
  const log = memoryLog();
  const cache = createCache({ name: 'test', clock, log, ...parts });
  return { clock, log, cache, meter: new Meter(cache, options) };
}

async function times(count: number, read: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await read(i);
}

describe('reads', () => {
  it('are told apart by why memory had nothing', async () => {
    const { clock, cache, meter } = setUp();
    const users = cache.query({ name: 'user', load: (id: number) => id, ttl: '1m', tags: () => ['all'] });
    await users(1);
    await cache.invalidate(tag('all'));
    await users(1);
    await cache.invalidate(everything());
    await users(1);
    await clock.advance(60_001);
    await users(1);
    const [, query] = meter.metrics().queries;
    expect(query?.misses).toMatchObject({ absent: 1, label: 1, floor: 1, expired: 1, epoch: 0 });
    expect(query).toMatchObject({ missed: 4, loads: 4 });
    meter.close();
  });

  it('that share a load, that fail, that are served something old', async () => {
    const { clock, cache, meter } = setUp();
    let broken = false;
    const load = async (id: number): Promise<number> => {
      await new Promise<void>((done) => clock.schedule(5, done));
      if (broken) throw new Error('no');
      return id;
    };
    const users = cache.query({ name: 'user', load, ttl: '1m', grace: '1h' });
    const both = Promise.all([users(1), users(1)]);
    await clock.advance(5);
    await both;
    broken = true;
    await clock.advance(60_001);
    const old = users(1);
    await clock.advance(5);
    expect(await old).toBe(1);
    expect(meter.metrics().total).toMatchObject({
      ...{ joined: 1, loads: 1, loadFailures: 1, stale: { grace: 1, maxStaleness: 0 } },
      latency: { load: { count: 2 } },
    });
    meter.close();
  });

  it('have latencies by tier, of memory a part of them, and of all with their true weight', async () => {
    const { clock, cache, meter } = setUp();
    const load = async (id: number): Promise<number> => {
      await clock.advance(20);
      return id;
    };
    const users = cache.query({ name: 'user', load });
    await times(640, () => users(1));
    const { latency, hits } = meter.metrics().total;
    expect(hits.memory).toBe(639);
    expect(latency.memory.count).toBeLessThanOrEqual(10);
    expect(latency.loader).toMatchObject({ count: 1, mean: 20 });
    expect(latency.read.count).toBe(640);
    expect(latency.read).toMatchObject({ p50: 0, p95: 0, p99: 0 });
    expect(latency.read.max).toBeGreaterThanOrEqual(20);
    meter.close();
  });

  it('of queries beyond the bound are one', async () => {
    const { cache, meter } = setUp({ queries: 2 });
    const queries = ['a', 'b', 'c', 'd'].map((name) => cache.query({ name, load: (id: number) => id }));
    for (const query of queries) await times(3, () => query(1));
    await times(2, () => cache.getOrSet('k', () => 1));
    const { queries: told, total } = meter.metrics();
    expect(told.map(({ query, hits, loads }) => [query, hits.memory, loads])).toEqual([
      ['(keys)', 1, 1],
      ['a', 2, 1],
      ['b', 2, 1],
      ['(other)', 4, 2],
    ]);
    expect(total.hits.memory).toBe(9);
    meter.close();
  });

  it('of versions of a query are counted together', async () => {
    const { cache, meter } = setUp();
    const load = (id: number): number => id;
    const [one, two] = [1, 2].map((version) => cache.query({ name: 'user', load, version }));
    await times(2, () => one?.(1) ?? Promise.reject(new Error()));
    await times(3, () => two?.(1) ?? Promise.reject(new Error()));
    expect(meter.metrics().queries[1]).toMatchObject({ query: 'user', hits: { memory: 3 }, loads: 2 });
    meter.close();
  });

  it('evict others where memory is full', async () => {
    const { cache, meter } = setUp({}, { memory: { maxEntries: 10 } });
    const users = cache.query({ name: 'user', load: (id: number) => id });
    await times(15, (i) => users(i));
    expect(meter.metrics().memory).toMatchObject({ entries: 10, evicted: 5 });
    expect(meter.metrics().queries[1]?.evicted).toBe(5);
    meter.close();
  });
});

describe('the store', () => {
  it('has writes, their bytes, and its failures', async () => {
    const clock = new FakeClock();
    const inner = memoryStore()({ clock });
    let broken = false;
    const fail = <T>(work: () => Promise<T>): Promise<T> => (broken ? Promise.reject(new Error('no')) : work());
    const store: Store = {
      ...inner,
      getMany: (keys) => fail(() => inner.getMany(keys)),
      set: (...args) => fail(() => inner.set(...args)),
    };
    const cache = createCache({ name: 'test', clock, store });
    const meter = new Meter(cache);
    await cache.getOrSet('a', () => 'x'.repeat(1_000));
    await clock.advance(0);
    broken = true;
    await cache.getOrSet('b', () => 1);
    await clock.advance(0);
    const { writes, bytesWritten, failures } = meter.metrics().store;
    expect({ writes, failures }).toEqual({ writes: 1, failures: { get: 1, set: 1, reclaim: 0 } });
    expect(bytesWritten).toBeGreaterThan(1_000);
    meter.close();
  });
});

describe('invalidations', () => {
  it('are counted by kind and by type of entity, and the last is told', async () => {
    const { clock, cache, meter } = setUp({ entityTypes: 1 });
    await cache.invalidate([key('a'), tag('b'), tag('c')], { cause: { event: 'x', entityType: 'user' } });
    await cache.invalidate([pattern('a*b')], { cause: { entityType: 'order' } });
    await clock.advance(10);
    await cache.invalidate([everything()], { cause: { entityType: 'bill', event: 'y' } });
    expect(meter.metrics().invalidations).toMatchObject({
      total: 3,
      byKind: { key: 1, tag: 2, pattern: 1, everything: 1 },
      byEntityType: { user: 1, '(other)': 2 },
      queued: 0,
      last: { at: clock.wall(), targets: ['everything'], event: 'y' },
      latency: { count: 3 },
    });
    meter.close();
  });

  it('of tenants are those of the whole fleet, in the last minute', async () => {
    const { clock, log, cache, meter } = setUp({ tenants: 2 });
    const other = createCache({ name: 'test', clock, log });
    const invalidate = (from: typeof cache, org: string): Promise<unknown> =>
      from.invalidate([key('a', org)], { cause: { fields: { org } } });
    await times(3, () => invalidate(cache, 'A'));
    await times(2, () => invalidate(other, 'B'));
    await times(1, () => invalidate(other, 'C'));
    await times(1, () => invalidate(other, 'D'));
    await cache.invalidate(key('nobody'));
    const { byTenant, total } = meter.metrics().invalidations;
    expect(byTenant).toEqual({ A: 3, B: 2, '(other)': 2 });
    expect(Object.keys(byTenant)).toEqual(['A', 'B', '(other)']);
    expect(total).toBe(4);
    await clock.advance(40_000);
    await invalidate(cache, 'B');
    await clock.advance(21_000);
    expect(meter.metrics().invalidations.byTenant).toEqual({ B: 1 });
    meter.close();
  });

  it('belong to whom the option says', async () => {
    const { cache, meter } = setUp({ tenant: (cause, targets) => cause?.event ?? targets[0] });
    await cache.invalidate([tag('x')], { cause: { event: 'moved' } });
    await cache.invalidate(key('a', 1));
    expect(meter.metrics().invalidations.byTenant).toEqual({ moved: 1, 'key a:1': 1 });
    meter.close();
  });

  it('that the log does not take are queued', async () => {
    const clock = new FakeClock();
    let log: FaultyLog | undefined;
    const cache = createCache({
      ...{ name: 'test', clock, patience: '10ms' },
      log: (context) => (log = new FaultyLog(memoryLog()(context))),
    });
    const meter = new Meter(cache);
    await clock.advance(100);
    log?.cut('append', 'follow');
    const receipt = cache.invalidate(key('a'));
    await clock.advance(100);
    expect((await receipt).status).toBe('queued');
    expect(meter.metrics()).toMatchObject({
      invalidations: { queued: 1, total: 1 },
      log: { queued: 1, attached: false, detachments: 1 },
    });
    meter.close();
    await cache.close({ drain: 0 });
  });
});

describe('the log', () => {
  it('has what was sent, applied, and received of others with its delay', async () => {
    const { clock, log, cache, meter } = setUp();
    const other = createCache({ name: 'test', clock, log });
    await cache.invalidate(key('a'));
    await other.invalidate(key('a'));
    await other.invalidate(key('b'));
    expect(meter.metrics().log).toMatchObject({
      ...{ attached: true, sent: 1, applied: 3, received: 2, delay: { count: 2 }, publish: { count: 1 }, epochs: 0 },
      position: cache.mark(),
    });
    meter.close();
  });
});

describe('a stretch of time', () => {
  it('has what happened since a mark', async () => {
    const { clock, cache, meter } = setUp();
    const load = async (id: number): Promise<number> => {
      await clock.advance(id);
      return id;
    };
    const users = cache.query({ name: 'user', load });
    await times(20, () => users(100));
    const mark = meter.mark();
    await users(7);
    await times(3, () => users(100));
    await cache.invalidate(key('x'));
    const found = meter.since(mark);
    expect(found).toMatchObject({ ms: 7, hits: 3, missed: 1, hitRate: 0.75, loads: 1, invalidations: 1, evicted: 0 });
    expect(found.latency.max).toBeCloseTo(7, 0);
    expect(meter.since(meter.mark())).toMatchObject({ ms: 0, hits: 0, missed: 0, hitRate: undefined });
    meter.close();
  });

  it('begins with a reset that came in between', async () => {
    const { cache, meter } = setUp();
    const users = cache.query({ name: 'user', load: (id: number) => id });
    await times(10, () => users(1));
    const mark = meter.mark();
    meter.reset();
    await times(2, () => users(1));
    await users(2);
    expect(meter.since(mark)).toMatchObject({ hits: 2, missed: 1, loads: 1 });
    meter.close();
  });
});
