import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { partContext } from '../testing/part-context.ts';
import type { BreakerStatus } from './breaker-status.ts';
import { healthOf } from './health.ts';
import { healthSettings } from './health-options.ts';
import { createOperations, type OperationsOptions } from './operations.ts';
import type { Signs } from './signs.ts';

const FINE: Signs = {
  ...{ closed: false, reads: 1_000, hitRate: 0.99, latencyP95: 5, consistencyScore: 100, standing: [] },
  ...{ detachedFor: undefined, provenAge: 100, maxLag: 2_000, queued: 0, loads: 100, loadFailures: 0 },
  ...{ storeFailures: 0, evicted: 0, entries: 100, tenants: {}, breakers: [], lateBy: 0, advice: [] },
};

const BREAKER: BreakerStatus = {
  ...({ name: 'stripe', state: 'open', since: '2026-01-01T00:00:00.000Z', openedBy: 'shop#1' } as const),
  ...({ probedFrom: null, failures: 5, refused: 0, fallbacks: 0, opened: 1 } as const),
  ...({ lastFailure: 'ETIMEDOUT', board: 'none' } as const),
};

describe('health', () => {
  it.each([
    [{}, 'healthy', ''],
    // F53: healthy above 90 % hits, under 50 ms, over 95; critical below 75 %, over 100 ms, below 90.
    [{ hitRate: 0.901 }, 'healthy', ''],
    [{ hitRate: 0.9 }, 'degraded', 'hit-rate'],
    [{ hitRate: 0.75 }, 'degraded', 'hit-rate'],
    [{ hitRate: 0.749 }, 'critical', 'hit-rate'],
    [{ latencyP95: 49.9 }, 'healthy', ''],
    [{ latencyP95: 50 }, 'degraded', 'latency'],
    [{ latencyP95: 100 }, 'degraded', 'latency'],
    [{ latencyP95: 100.1 }, 'critical', 'latency'],
    [{ consistencyScore: 95.1 }, 'healthy', ''],
    [{ consistencyScore: 95 }, 'degraded', 'consistency'],
    [{ consistencyScore: 90 }, 'degraded', 'consistency'],
    [{ consistencyScore: 89.9 }, 'critical', 'consistency'],
    [{ tenants: { a: 100 } }, 'healthy', ''],
    [{ tenants: { a: 101, b: 3 } }, 'degraded', 'tenant-storm'],
    [{ hitRate: undefined, latencyP95: undefined, consistencyScore: undefined, reads: 3 }, 'healthy', ''],
    [{ detachedFor: 0 }, 'degraded', 'detached'],
    [{ detachedFor: 30_001 }, 'critical', 'detached'],
    [{ provenAge: 1_500 }, 'degraded', 'lag'],
    [{ provenAge: 9_000, detachedFor: 7_000 }, 'degraded', 'detached'],
    [{ queued: 1 }, 'degraded', 'queue'],
    [{ queued: 1_001 }, 'critical', 'queue'],
    [{ loads: 9, loadFailures: 1 }, 'degraded', 'loads'],
    [{ loads: 3, loadFailures: 7 }, 'critical', 'loads'],
    [{ loads: 0, loadFailures: 9 }, 'healthy', ''],
    [{ storeFailures: 5 }, 'degraded', 'store'],
    [{ breakers: [BREAKER] }, 'degraded', 'breaker'],
    [{ breakers: [{ ...BREAKER, state: 'half-open' as const }] }, 'healthy', ''],
    [{ evicted: 50 }, 'healthy', ''],
    [{ evicted: 50, hitRate: 0.8 }, 'degraded', 'hit-rate,eviction'],
    [{ lateBy: 600 }, 'degraded', 'event-loop'],
    [{ closed: true }, 'critical', 'closed'],
  ])('%j is %s: %s', (signs, status, codes) => {
    const health = healthOf({ ...FINE, ...signs }, healthSettings({}));
    expect(health.status).toBe(status);
    expect(health.reasons.map(({ code }) => code).join()).toBe(codes);
    expect(health.recommendations).toEqual([...new Set(health.reasons.map(({ recommendation }) => recommendation))]);
  });

  it('says what it knows with its numbers, the worst first, and what to do', () => {
    const signs = {
      ...FINE,
      hitRate: 0.876,
      tenants: { ORG1: 240 },
      queued: 2_000,
      advice: ['Raise the TTL of user.'],
    };
    const { reasons, recommendations, hitRate } = healthOf(signs, healthSettings({}));
    expect(hitRate).toBe(0.876);
    expect(reasons.map(({ status, message }) => [status, message])).toEqual([
      ['critical', '2000 invalidations wait to be sent: other nodes do not know of them yet.'],
      ['degraded', '87.6 % of 1000 reads were hits; healthy is above 90 %.'],
      ['degraded', "Tenant 'ORG1' was invalidated 240 times in the last minute; 100 are usual at most."],
    ]);
    expect(recommendations[1]).toBe('Raise the TTL of user.');
  });

  it('has thresholds of its own', () => {
    const settings = healthSettings({
      thresholds: { hitRate: { degraded: 0.5, critical: 0.2 }, queued: { degraded: 10 } },
    });
    expect(healthOf({ ...FINE, hitRate: 0.6, queued: 9 }, settings).status).toBe('healthy');
    expect(healthOf({ ...FINE, hitRate: 0.1 }, settings).status).toBe('critical');
  });

  it.each([
    [{ thresholds: { hitRate: { degraded: 0.5 } } }, 'health.thresholds.hitRate'],
    [{ thresholds: { latencyP95: { degraded: Number.NaN } } }, 'health.thresholds.latencyP95'],
    [{ thresholds: { hits: {} } }, 'there is no option "hits"'],
    [{ window: '10ms' }, 'health.window'],
    [{ readyWhenAttached: 'yes' }, 'health.readyWhenAttached'],
    [{ leastReads: 0.5 }, 'health.leastReads'],
  ])('%j are refused', (options, text) => {
    expect(() => healthSettings(options as never)).toThrow(text);
  });
});

function setUp(options: OperationsOptions = {}, cacheOptions: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const log = new FaultyLog(memoryLog()(partContext(clock)));
  const cache = createCache({ name: 'test', clock, log, ...cacheOptions });
  const operations = createOperations(cache, options);
  const source = { loads: 0 };
  const users = cache.query({ name: 'user', load: (id: number) => ({ id, at: source.loads++ }), ttl: '1h' });
  const end = async (): Promise<void> => {
    await operations.close();
    await cache.close();
  };
  return { clock, log, cache, operations, users, end };
}

describe('health of a node', () => {
  it('is of the last minute, and not since the start', async () => {
    const { clock, cache, operations, users, end } = setUp({ sampler: false });
    await cache.ready();
    for (let id = 0; id < 150; id++) await users(id);
    expect(operations.health()).toMatchObject({ status: 'critical', hitRate: 0, reasons: [{ code: 'hit-rate' }] });
    await clock.advance(75_000);
    for (let i = 0; i < 150; i++) await users(7);
    expect(operations.health()).toMatchObject({ status: 'healthy', hitRate: 1, latencyP95: 0, reasons: [] });
    await clock.advance(75_000);
    // Nobody has read for a minute.
    expect(operations.health()).toMatchObject({ status: 'healthy', hitRate: undefined, latencyP95: undefined });
    await end();
  });

  it('tells how long it is detached, and of what it has queued', async () => {
    const { clock, log, cache, operations, end } = setUp({ sampler: false }, { patience: 10 });
    await cache.ready();
    expect(operations.health().status).toBe('healthy');
    log.cut('follow', 'append');
    await clock.advance(5_000);
    expect(operations.health()).toMatchObject({ status: 'degraded', reasons: [{ code: 'detached' }] });
    await clock.advance(30_000);
    expect(operations.health()).toMatchObject({ status: 'critical', reasons: [{ code: 'detached' }] });
    const sent = cache.invalidate(key('user', 1));
    await clock.advance(100);
    expect((await sent).status).toBe('queued');
    expect(operations.health().reasons.map(({ code }) => code)).toEqual(['detached', 'queue']);
    log.mend('follow', 'append');
    await clock.advance(5_000);
    expect(operations.health()).toMatchObject({ status: 'healthy' });
    await end();
  });

  it('counts the invalidations of a tenant', async () => {
    const { clock, cache, operations, end } = setUp({ sampler: false });
    await cache.ready();
    for (let i = 0; i < 101; i++) {
      await cache.invalidate([key('user', i)], { cause: { fields: { org: 'ORG1' } } });
    }
    expect(operations.health().reasons).toMatchObject([
      { code: 'tenant-storm', message: expect.stringContaining('ORG1') },
    ]);
    await clock.advance(70_000);
    expect(operations.health().reasons).toEqual([]);
    await end();
  });

  it('names breakers that are open', async () => {
    const { operations, end } = setUp({ sampler: false, breakers: [{ status: () => BREAKER }] });
    expect(operations.breakers()).toEqual([BREAKER]);
    expect(operations.health().reasons.map(({ code }) => code)).toContain('breaker');
    expect(() => setUp({ breakers: [{}] as never })).toThrow('breakers');
    await end();
  });

  it('says nothing of hits where metrics are off', async () => {
    const { cache, operations, users, end } = setUp({ sampler: false, metrics: false });
    await cache.ready();
    for (let i = 0; i < 150; i++) await users(7);
    expect(operations.health()).toMatchObject({ status: 'healthy', hitRate: undefined });
    await end();
  });
});

describe('readiness', () => {
  it('waits for the log for a while after the start, and not for ever', async () => {
    const { clock, log, cache, operations, end } = setUp();
    log.cut('follow');
    expect(operations.ready()).toMatchObject({ ok: false, reasons: [expect.stringContaining('Not attached')] });
    await clock.advance(10_000);
    expect(operations.ready()).toEqual({ ok: true, reasons: [] });
    log.mend('follow');
    await clock.advance(2_000);
    log.cut('follow');
    await clock.advance(60_000);
    // It answers by loading.
    expect(cache.status().attached).toBe(false);
    expect(operations.ready().ok).toBe(true);
    await cache.close();
    expect(operations.ready()).toEqual({ ok: false, reasons: ['The cache is closed.'] });
    await end();
  });

  it('wants attachment where that is asked for', async () => {
    const { clock, log, cache, operations, end } = setUp({ health: { readyWhenAttached: true } });
    await cache.ready();
    expect(operations.ready().ok).toBe(true);
    log.cut('follow');
    await clock.advance(5_000);
    expect(operations.ready().ok).toBe(false);
    await end();
  });
});

describe('liveness', () => {
  it('has nothing to do with servers, and ends with the cache', async () => {
    const { clock, log, cache, operations, end } = setUp();
    log.cut('follow', 'append');
    await clock.advance(600_000);
    expect(operations.live()).toEqual({ ok: true, reasons: [] });
    await cache.close();
    expect(operations.live().ok).toBe(false);
    await end();
  });

  it('ends where the process hardly runs: three late beats in a row, and not one', async () => {
    const { clock, cache, operations, end } = setUp({ sampler: false });
    await cache.ready();
    const late = async (ms: number): Promise<void> => {
      // Timers run when the clock has moved past them by far.
      const real = clock.monotonic;
      let ahead = 0;
      Object.assign(clock, { monotonic: () => real() + ahead });
      ahead = ms;
      await clock.advance(1_000);
    };
    await late(6_000);
    expect(operations.live().ok).toBe(true);
    expect(operations.health().reasons.map(({ code }) => code)).toContain('event-loop');
    await late(6_000);
    expect(operations.live().ok).toBe(true);
    await late(6_000);
    expect(operations.live().ok).toBe(false);
    await clock.advance(2_000);
    expect(operations.live().ok).toBe(true);
    await end();
  });
});
