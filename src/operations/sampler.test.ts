import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import { TIMED_ONE_IN } from '../cache/tally.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { partContext } from '../testing/part-context.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { createOperations } from './operations.ts';
import type { Sampler } from './sampler.ts';
import type { SamplerOptions } from './sampler-options.ts';

function setUp(sampler: SamplerOptions = {}, options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const log = (fields: object): void => void lines.push(fields as Record<string, unknown>);
  const logger = { debug: log, info: log, warn: log, error: log };
  const source = { value: 1 as unknown, loads: 0, failing: false };
  const cache = createCache({ name: 'test', clock, logger, random: () => 0, ...options });
  const load = (id: number): unknown => {
    source.loads++;
    if (source.failing) throw new Error('no source');
    return { id, value: source.value };
  };
  const users = cache.query({ name: 'user', load, ttl: '1h', tags: () => ['org:7'] });
  const operations = createOperations(cache, { sampler });
  /** One of so many hits is offered. */
  const hit = async (read: () => Promise<unknown> = () => users(1)): Promise<void> => {
    for (let i = 0; i <= TIMED_ONE_IN; i++) await read();
    await clock.advance(0);
  };
  const report = () => (operations.sampler as Sampler).report();
  const end = async (): Promise<void> => {
    await operations.close();
    await cache.close();
  };
  return { clock, cache, source, users, operations, hit, report, end, lines };
}

describe('what is sampled', () => {
  it('is compared with a load that reaches nobody and is kept nowhere', async () => {
    const { source, hit, users, report, end } = setUp();
    await hit();
    expect(source.loads).toBe(2);
    expect(report()).toMatchObject({ loads: 1, counts: { same: 1, violations: 0 }, score: 100, waiting: 0 });
    source.value = 2;
    expect(await users(1)).toEqual({ id: 1, value: 1 });
    await end();
  });

  it('costs one load a second at most, second looks included', async () => {
    const { clock, source, hit, report, end } = setUp();
    await hit();
    const before = source.loads;
    source.value = 2; // From now on, everything is suspect.
    for (let i = 0; i < 200; i++) {
      await hit();
      await clock.advance(100);
    }
    expect(source.loads - before).toBeGreaterThan(10);
    expect(source.loads - before).toBeLessThanOrEqual(20);
    expect(report().waiting).toBeGreaterThan(1);
    await end();
  });

  it('is what queries were served from a tier; what is read by key only where that is asked for', async () => {
    const usual = setUp();
    await usual.hit(() => usual.cache.getOrSet('k', () => 1));
    expect(usual.report().loads).toBe(0);
    await usual.end();
    const keys = setUp({ only: ['(keys)'] });
    await keys.hit();
    expect(keys.report().loads).toBe(0);
    await keys.hit(() => keys.cache.getOrSet('k', () => 1));
    expect(keys.report().loads).toBe(1);
    await keys.end();
    const without = setUp({ except: ['user'] });
    await without.hit();
    expect(without.report().loads).toBe(0);
    await without.end();
  });

  it('is nothing while this process has loads enough, or while they fail', async () => {
    const busy = setUp({}, { loads: { concurrency: 1 } });
    const ends: (() => void)[] = [];
    await busy.users(1);
    const hanging = busy.cache.getOrSet('slow', () => new Promise<number>((resolve) => ends.push(() => resolve(1))));
    await busy.hit();
    expect(busy.report()).toMatchObject({ loads: 0, paused: 'busy' });
    for (const go of ends) go();
    await hanging;
    await busy.hit();
    expect(busy.report()).toMatchObject({ loads: 1, paused: undefined });
    await busy.end();

    const failing = setUp();
    await failing.users(1);
    failing.source.failing = true;
    for (let i = 2; i < 7; i++) await expect(failing.users(i)).rejects.toThrow('no source');
    await failing.hit();
    expect(failing.report()).toMatchObject({ loads: 0, paused: 'failing' });
    await failing.clock.advance(20_000);
    await failing.hit();
    expect(failing.report()).toMatchObject({ loads: 1, counts: { failed: 1 }, score: undefined });
    await failing.end();
  });

  it('is loaded in the context of the request that was served, each time', async () => {
    const { clock, cache, end, hit } = setUp({ recheck: ['2s'] });
    const tenant = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    let value = 1;
    const rows = cache.query({ name: 'row', load: (_id: number) => (seen.push(tenant.getStore()), value), ttl: '1h' });
    await tenant.run('a', () => hit(() => rows(1)));
    value = 2;
    await clock.advance(2_000);
    await tenant.run('a', () => hit(() => rows(1)));
    await tenant.run('b', () => clock.advance(10_000));
    expect(seen).toEqual(['a', 'a', 'a', 'a']);
    tenant.disable();
    await end();
  });

  it('ends with close(): no timer is left of it', async () => {
    const { clock, cache, source, users, hit, operations } = setUp();
    await users(1);
    const before = clock.timers;
    const others = createOperations(cache, { sampler: { recheck: ['5s'] } });
    source.value = 2;
    await hit();
    await operations.close();
    await others.close();
    expect(clock.timers).toBeLessThanOrEqual(before);
    await cache.close();
  });
});

describe('what differs from its source', () => {
  it.each([
    [50, 'within100ms', 100],
    [500, 'within1s', 90],
    [5_000, 'within10s', 50],
    [30_000, 'later', 0],
  ] as const)('and is covered %i ms later: %s', async (ms, outcome, score) => {
    const { clock, cache, source, users, hit, report, end } = setUp();
    await users(1);
    source.value = 2;
    await hit();
    expect(report()).toMatchObject({ waiting: 1, score: undefined });
    await clock.advance(ms);
    await cache.invalidate(tag('org:7'));
    await clock.advance(70_000);
    expect(report()).toMatchObject({ waiting: 0, score, counts: { same: 0, [outcome]: 1, violations: 0 } });
    expect(report().violations).toEqual([]);
    await end();
  });

  it('for a minute and is not covered is a violation, with its story', async () => {
    const { clock, cache, source, users, hit, report, operations, lines, end } = setUp({ values: true });
    await users(1);
    await cache.invalidate([key('user', 2)], { cause: { event: 'user.renamed' } });
    source.value = 2; // Past everything.
    await hit();
    await clock.advance(59_000);
    expect(report().violations).toEqual([]);
    await clock.advance(5_000);
    expect(report()).toMatchObject({ waiting: 0, loads: 4, score: 0, counts: { violations: 1 } });
    const [violation] = report().violations;
    expect(violation).toMatchObject({
      ...{ kind: 'violation', key: 'user:1', query: 'user', from: 'memory', node: cache.parts.node },
      values: { served: { id: 1, value: 1 }, loaded: { id: 1, value: 2 } },
      looks: [0, 1_000, 5_000, 60_000].map((after) => ({ after, agrees: false })),
      labels: [
        { name: 'key user:1', covers: false },
        { name: 'key user', covers: false },
        { name: 'tag org:7', covers: false },
      ],
      records: [{ kind: 'invalidate', event: 'user.renamed', targets: ['key user:2'] }],
    });
    expect(violation?.served).toMatch(/^[0-9a-f]{16}$/);
    expect(violation?.loaded).not.toBe(violation?.served);
    expect(violation?.message).toContain("'user:1' was served from memory");
    expect(violation?.recommendation).toContain('without invalidating it');
    expect(lines.filter(({ event }) => event === 'cache_inconsistent')).toMatchObject([
      { kind: 'violation', key: 'user:1' },
    ]);
    const { status, reasons } = operations.health();
    expect(status).toBe('degraded');
    expect(reasons).toMatchObject([{ code: 'violation', recommendation: violation?.recommendation }]);
    await cache.invalidate(users.at(1));
    expect(operations.sampler?.standing()).toEqual([]);
    expect(operations.health().status).toBe('healthy');
    await end();
  });

  it('stands until no tier here has it any more', async () => {
    const { clock, cache, operations, end } = setUp();
    let value = 1;
    const rows = cache.query({ name: 'row', load: (_id: number) => value, ttl: '2m' });
    await rows(1);
    value = 2;
    for (let i = 0; i < TIMED_ONE_IN; i++) await rows(1);
    await clock.advance(70_000);
    expect(operations.sampler?.standing()).toHaveLength(1);
    await clock.advance(60_000);
    expect(operations.sampler?.standing()).toEqual([]);
    expect(operations.sampler?.report().violations).toHaveLength(1);
    await end();
  });

  it('because the source does not agree with itself is no violation', async () => {
    const { clock, cache, report, lines, hit, end } = setUp();
    let calls = 0;
    const rows = cache.query({ name: 'row', load: (_id: number) => calls++, ttl: '1h' });
    await hit(() => rows(1));
    await clock.advance(65_000);
    expect(report()).toMatchObject({ score: undefined, counts: { unstable: 1, violations: 0 } });
    expect(report().violations).toMatchObject([{ kind: 'unstable', query: 'row' }]);
    await hit(() => rows(1));
    await clock.advance(65_000);
    expect(report().counts.unstable).toBe(2);
    expect(lines.filter(({ event }) => event === 'cache_inconsistent')).toHaveLength(1);
    await end();
  });

  it('only for a moment, as what a lagging replica has, is no violation', async () => {
    const { clock, source, users, hit, report, end } = setUp();
    await users(1);
    source.value = 0;
    await hit();
    source.value = 1;
    await clock.advance(65_000);
    expect(report()).toMatchObject({ loads: 2, counts: { unstable: 1, violations: 0 } });
    await end();
  });

  it('only in what its query does not compare is the same', async () => {
    const { cache, report, hit, end } = setUp();
    let calls = 0;
    const rows = cache.query({
      name: 'row',
      load: (id: number) => ({ id, at: calls++ }),
      equals: (one, other) => one.id === other.id,
    });
    await hit(() => rows(1));
    expect(report().counts.same).toBe(1);
    await end();
  });

  it('because somebody changed the object that was served is told so', async () => {
    const { clock, users, hit, report, end } = setUp({}, { freeze: false });
    let waits = true;
    await users(1);
    await hit(async () => {
      const value = (await users(1)) as { value: unknown };
      if (waits) value.value = 'mine';
      waits = false;
    });
    // The first hit spoils it for the others; what the sampler saw served was spoilt before. Found as what it is: not the source's.
    await clock.advance(65_000);
    expect(report().counts).toMatchObject({ violations: 1, mutated: 0 });
    await end();

    const late = setUp({}, { freeze: false });
    const served: { value: unknown }[] = [];
    let release: (() => void) | undefined;
    const slow = late.cache.query({
      name: 'slow',
      load: async (_id: number) => {
        if (served.length > 0) await new Promise<void>((resolve) => (release = resolve));
        return { value: 1 };
      },
      ttl: '1h',
    });
    await slow(1);
    served.push(await slow(1));
    await late.hit(() => slow(1));
    (served[0] as { value: unknown }).value = 'mine';
    release?.();
    await late.clock.advance(0);
    expect(late.report()).toMatchObject({ counts: { mutated: 1 }, violations: [{ kind: 'mutated', key: 'slow:1' }] });
    await late.end();
  });

  it('while this node was cut off from the log is not judged', async () => {
    const clock = new FakeClock();
    const log = new FaultyLog(memoryLog()(partContext(clock)));
    const { users, source, hit, report, cache, end } = setUp({}, { clock, log });
    await cache.ready();
    await users(1);
    source.value = 2;
    await hit();
    log.cut('follow');
    await clock.advance(70_000);
    expect(report()).toMatchObject({ waiting: 0, counts: { unknown: 1, violations: 0 } });
    await end();
  });
});

describe('options', () => {
  it.each([
    [{ loads: 0 }, 'sampler.loads'],
    [{ only: 'user' }, 'sampler.only'],
    [{ recheck: ['5s', '1s'] }, 'sampler.recheck'],
    [{ recheck: [] }, 'sampler.recheck'],
    [{ window: '1ms' }, 'sampler.window'],
    [{ values: 1 }, 'sampler.values'],
    [{ rate: 1 }, 'there is no option'],
  ])('%j are refused, before anything was started', (sampler, text) => {
    const clock = new FakeClock();
    const cache = createCache({ name: 'test', clock });
    const before = clock.timers;
    expect(() => createOperations(cache, { sampler: sampler as never })).toThrow(text);
    expect(clock.timers).toBe(before);
  });
});
