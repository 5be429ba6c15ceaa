import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { memoryStore } from '../cache/memory-store.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { createOperations, type OperationsOptions } from './operations.ts';

function setUp(options?: OperationsOptions) {
  const clock = new FakeClock();
  const store = memoryStore()({ clock });
  const log = memoryLog();
  const cache = createCache({ name: 'test', clock, log, store });
  const operations = createOperations(cache, options);
  const users = cache.query({ name: 'user', load: (id: number) => ({ id }), tags: (id) => [`org:${id % 2}`] });
  return { cache, clock, log, store, operations, users };
}

async function times(count: number, read: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await read();
}

describe('createOperations', () => {
  it('counts reads by query, and what is read by key apart', async () => {
    const { cache, operations, users } = setUp();
    await times(10, () => users(1));
    await times(4, () => cache.getOrSet('k', () => 1));
    const { total, queries } = operations.metrics();
    expect(queries.map(({ query }) => query)).toEqual(['(keys)', 'user']);
    expect(queries[1]).toMatchObject({ hits: { memory: 9, store: 0 }, missed: 1, hitRate: 0.9, loads: 1 });
    expect(queries[1]?.misses).toMatchObject({ absent: 1, expired: 0 });
    expect(total).toMatchObject({ query: '(all)', hits: { memory: 12, store: 0 }, missed: 2, loads: 2 });
    await operations.close();
  });

  it('knows a hit of the store from a miss, and counts what it promotes', async () => {
    const { clock, log, store, operations, users } = setUp();
    await users(1);
    await clock.advance(0);
    const other = createCache({ name: 'test', clock, log, store });
    const seen = createOperations(other);
    const mine = other.query({ name: 'user', load: (id: number) => ({ id }) });
    await times(2, () => mine(1));
    expect(seen.metrics().total).toMatchObject({ hits: { memory: 1, store: 1 }, missed: 0, hitRate: 1, promotions: 1 });
    expect(seen.metrics().total.latency).toMatchObject({ store: { count: 1 }, loader: { count: 0 } });
    expect(operations.metrics().store).toMatchObject({ writes: 1, failures: { get: 0, set: 0, reclaim: 0 } });
    await Promise.all([operations.close(), seen.close()]);
  });

  it('begins at zero after a reset, and keeps what the tiers have', async () => {
    const { operations, users } = setUp();
    await times(3, () => users(1));
    operations.resetMetrics();
    expect(operations.metrics().total).toMatchObject({ hits: { memory: 0 }, missed: 0, hitRate: undefined, loads: 0 });
    await users(1);
    expect(operations.metrics().total).toMatchObject({ hits: { memory: 1 }, missed: 0, hitRate: 1 });
    expect(operations.metrics().memory.entries).toBe(1);
    await operations.close();
  });

  it('hears of nothing once it is closed, or where metrics are off: hits are counted all the same', async () => {
    const off = setUp({ metrics: false });
    await times(3, () => off.users(1));
    expect(off.operations.metrics().total).toMatchObject({ hits: { memory: 2 }, missed: 0, loads: 0 });
    const { operations, users, cache } = setUp();
    await operations.close();
    await operations.close();
    await times(2, () => users(1));
    await cache.invalidate(key('user', 1));
    expect(operations.metrics()).toMatchObject({ total: { loads: 0 }, invalidations: { total: 0 } });
    expect(operations.records.list()).toEqual([]);
    await off.operations.close();
  });

  it('remembers the newest records, and when they were applied', async () => {
    const { cache, clock, operations } = setUp({ records: 2 });
    for (const name of ['a', 'b', 'c']) {
      await clock.advance(5);
      await cache.invalidate([tag(name)], { cause: { event: name } });
    }
    const list = operations.records.list();
    expect(list.map(({ record, appliedAt }) => [record.cause?.event, appliedAt - record.time])).toEqual([
      ['c', 0],
      ['b', 0],
    ]);
    expect(operations.records.list(5, list[0]?.record.number)).toEqual([list[1]]);
    expect(operations.records.find(list[1]?.record.number ?? 0)).toBe(list[1]);
    await operations.close();
  });

  it.each([
    [{ record: 1 }, /there is no option "record".*Known are/],
    [{ records: -1 }, /records: -1 is not a whole number from 0 on/],
    [{ metrics: { querys: 1 } }, /metrics: there is no option "querys"/],
    [{ metrics: { queries: 0 } }, /metrics.queries: 0 is not a whole number from 1 on/],
    [{ metrics: { tenant: 'org' } }, /metrics.tenant: "org" is not a function/],
  ])('refuses %j', (options, message) => {
    const cache = createCache({ name: 'test' });
    expect(() => createOperations(cache, options as OperationsOptions)).toThrow(message);
  });
});
