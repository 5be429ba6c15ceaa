import { Counter, Registry, type RegistryContentType } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { memoryStore } from '../cache/memory-store.ts';
import type { ServerReport } from '../cache/diagnostics.ts';
import { memoryReports } from '../cache/memory-reports.ts';
import type { RelayReport } from '../cache/relay-report.ts';
import type { Reports } from '../cache/reports.ts';
import { key } from '../coherence/target.ts';
import { TIMED_ONE_IN } from '../cache/tally.ts';
import { createBreaker, createOperations, type OperationsOptions } from '../operations/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { promtool } from '../../test/servers/promtool.ts';
import { prometheus, type PrometheusOptions } from './prometheus.ts';

const REPORT: ServerReport = {
  ...{ server: 'redis 7.2', memoryUsed: 1_024, memoryMost: 0, evictionPolicy: 'noeviction', clients: 3, hits: 10 },
  ...{ misses: 2, evicted: 0, expired: 1, uptime: 9_000, role: 'primary', replicas: 1, logBytes: 512, logRecords: 7 },
};

const RELAY: RelayReport = {
  ...{ v: 1, kind: 'relay', state: 'active', every: 5_000, reachable: true, lagMs: 7_000, waiting: 12, problem: null },
  ...{ host: 'db', pid: 1, version: '0.1.0' },
};

/** With a relay among them. */
async function reportsOf(relay: Partial<RelayReport> = {}): Promise<Reports> {
  const reports = memoryReports()({ clock: new FakeClock() });
  await reports.publish('relay#1', JSON.stringify({ ...RELAY, ...relay }), 60_000);
  return reports;
}

interface SetUp {
  readonly name?: string;
  readonly server?: () => Promise<ServerReport>;
  readonly breakers?: OperationsOptions['breakers'];
  readonly reports?: Reports;
}

function setUp({ name = 'shop', server, breakers = [], reports }: SetUp = {}) {
  const clock = new FakeClock();
  const unasked = (): Promise<never> => Promise.reject(new Error('nobody asks for it'));
  const cache = createCache({
    ...{ name, clock, store: memoryStore()({ clock }) },
    ...(reports && { reports }),
    ...(server && { diagnostics: { server, exists: unasked, places: unasked, records: unasked } }),
  });
  const operations = createOperations(cache, { breakers, health: { leastSamples: 1 } });
  const users = cache.query({ name: 'user', load: (id: number) => clock.advance(3).then(() => ({ id })) });
  return { clock, cache, operations, users, register: new Registry() };
}

/** The values of a scrape, by name and labels. */
function values(body: string): Map<string, number> {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('prometheus', () => {
  it('tells what operations count, with the name of the cache', async () => {
    const { operations, users, cache, register } = setUp();
    const { metrics } = prometheus(operations, { register });
    for (let i = 0; i < 10; i++) await users(1);
    await cache.invalidate([key('user', 1)], { cause: { entityType: 'user', fields: { org: 'ORG1' } } });
    const { body, contentType } = await metrics();
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const told = values(body);
    expect(told.get('tidemark_hits_total{cache="shop",query="user",tier="memory"}')).toBe(9);
    expect(told.get('tidemark_misses_total{cache="shop",query="user",reason="absent"}')).toBe(1);
    expect(told.get('tidemark_loads_total{cache="shop",query="user",outcome="ok"}')).toBe(1);
    expect(told.get('tidemark_invalidation_targets_total{cache="shop",kind="key"}')).toBe(1);
    expect(told.get('tidemark_entity_invalidations_total{cache="shop",entity_type="user"}')).toBe(1);
    expect(told.get('tidemark_tenant_invalidations{cache="shop",tenant="ORG1"}')).toBe(1);
    expect(told.get('tidemark_attached{cache="shop"}')).toBe(1);
    await operations.close();
  });

  it('has real histograms: cumulative counts in seconds, that end with all', async () => {
    const { operations, users, register } = setUp();
    const { metrics } = prometheus(operations, { register });
    for (let i = 0; i < 4; i++) await users(i);
    const told = values((await metrics()).body);
    const bucket = (le: string): number | undefined =>
      told.get(`tidemark_load_duration_seconds_bucket{cache="shop",query="user",le="${le}"}`);
    expect(['0.001', '0.0025', '0.005', '10', '+Inf'].map(bucket)).toEqual([0, 0, 4, 4, 4]);
    expect(told.get('tidemark_load_duration_seconds_count{cache="shop",query="user"}')).toBe(4);
    expect(told.get('tidemark_load_duration_seconds_sum{cache="shop",query="user"}')).toBeCloseTo(0.012);
    await operations.close();
  });

  it.each<[string, RegistryContentType]>([
    ['Prometheus', Registry.PROMETHEUS_CONTENT_TYPE],
    ['OpenMetrics', Registry.OPENMETRICS_CONTENT_TYPE],
  ])('is told by a registry of %s', async (_, type) => {
    const { operations, users } = setUp();
    const register = new Registry();
    register.setContentType(type as never);
    const { metrics } = prometheus(operations, { register });
    await users(1);
    const { body } = await metrics();
    expect(body).toContain('tidemark_loads_total{cache="shop",query="user",outcome="ok"} 1');
    expect(body).toMatch(/# TYPE tidemark_read_duration_seconds histogram/);
    await operations.close();
  });

  it("satisfies Prometheus' own checker, every metric present", { timeout: 120_000 }, async () => {
    const breakers = [createBreaker({ name: 'mail' })];
    const { operations, users, cache, register, clock } = setUp({
      ...{ server: () => Promise.resolve(REPORT), breakers, reports: await reportsOf() },
    });
    const { metrics } = prometheus(operations, { register, labels: { region: 'eu' } });
    for (let i = 0; i <= TIMED_ONE_IN; i++) await users(1);
    await cache.invalidate([key('user', 1)], { cause: { entityType: 'user', fields: { tenant: 't' } } });
    await clock.advance(1_000);
    const { body } = await metrics();
    expect(body.match(/^# TYPE /gm)?.length).toBe(register.getMetricsAsArray().length);
    // Each says something, or its line would not be checked.
    for (const [, name] of body.matchAll(/^# TYPE (\S+)/gm))
      expect(body).toMatch(new RegExp(`^${name}(_count)?\\{`, 'm'));
    expect(promtool(['check', 'metrics'], body)).toEqual({ ok: true, output: '' });
    expect(promtool(['check', 'metrics'], '# HELP bad x\n# TYPE bad counter\nbad 1\n').ok).toBe(false);
    await operations.close();
  });

  it('tells how a node is, what its samples have found, and where its breakers are', async () => {
    const breaker = createBreaker({ name: 'mail', opens: { inARow: 1 } });
    const { operations, users, register, clock } = setUp({ breakers: [breaker] });
    const { metrics } = prometheus(operations, { register });
    for (let i = 0; i <= TIMED_ONE_IN; i++) await users(1);
    for (let i = 0; i < 3; i++) await clock.advance(10);
    await expect(breaker.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    const told = values((await metrics()).body);
    const of = (name: string, labels: string): number | undefined =>
      told.get(`tidemark_${name}{cache="shop"${labels}}`);
    expect([of('health_status', ',status="degraded"'), of('health_status', ',status="healthy"')]).toEqual([1, 0]);
    expect(of('samples_total', ',outcome="same"')).toBe(1);
    expect([of('consistency_ratio', ''), of('standing_violations', '')]).toEqual([1, 0]);
    expect(of('breaker_state', ',breaker="mail",state="open"')).toBe(1);
    expect(of('breaker_state', ',breaker="mail",state="closed"')).toBe(0);
    expect(of('breaker_opened_total', ',breaker="mail"')).toBe(1);
    expect(of('breaker_failures_total', ',breaker="mail"')).toBe(1);
    expect(of('max_lag_seconds', '')).toBe(2);
    await operations.close();
  });

  it('asks a server at most every five seconds, and tells when it does not answer', async () => {
    const server = vi.fn<() => Promise<ServerReport>>().mockResolvedValue(REPORT);
    const { operations, register, clock } = setUp({ server });
    const { metrics } = prometheus(operations, { register });
    expect(values((await metrics()).body).get('tidemark_server_memory_used_bytes{cache="shop"}')).toBe(1_024);
    await clock.advance(4_999);
    await metrics();
    expect(server).toHaveBeenCalledTimes(1);
    server.mockRejectedValue(new Error('gone'));
    await clock.advance(1);
    const told = values((await metrics()).body);
    expect(server).toHaveBeenCalledTimes(2);
    expect(told.get('tidemark_server_up{cache="shop"}')).toBe(0);
    expect(told.has('tidemark_server_memory_used_bytes{cache="shop"}')).toBe(false);
    await operations.close();
  });

  it('tells how the fleet and its relays are, and reads all reports at most every thirty seconds', async () => {
    const reports = await reportsOf();
    const list = vi.spyOn(reports, 'list');
    const { operations, register, clock } = setUp({ reports });
    const { metrics } = prometheus(operations, { register });
    const told = values((await metrics()).body);
    expect(told.get('tidemark_fleet_nodes{cache="shop",status="healthy"}')).toBe(1);
    expect(told.get('tidemark_fleet_nodes{cache="shop",status="silent"}')).toBe(0);
    expect(told.get('tidemark_fleet_relays{cache="shop",state="active"}')).toBe(1);
    expect(told.get('tidemark_relay_lag_seconds{cache="shop"}')).toBe(7);
    expect(told.get('tidemark_relay_waiting_rows{cache="shop"}')).toBe(12);
    expect(told.get('tidemark_relay_problem{cache="shop"}')).toBe(0);
    await clock.advance(29_999);
    await metrics();
    expect(list).toHaveBeenCalledTimes(1);
    await reports.publish('relay#1', JSON.stringify({ ...RELAY, state: 'standby' }), 60_000);
    await clock.advance(1);
    const later = values((await metrics()).body);
    expect(later.get('tidemark_fleet_relays{cache="shop",state="active"}')).toBe(0);
    expect(later.has('tidemark_relay_lag_seconds{cache="shop"}')).toBe(false);
    await operations.close();
  });

  it('says nothing of a server, or of a fleet, where there is none', async () => {
    const { operations, register } = setUp();
    const { metrics } = prometheus(operations, { register });
    expect((await metrics()).body).not.toMatch(/tidemark_(server|fleet|relay)_/);
    await operations.close();
  });

  it('tells of several caches in one registry', async () => {
    const [a, b] = [setUp({ name: 'a' }), setUp({ name: 'b' })];
    const { metrics } = prometheus([a.operations, b.operations], { register: a.register });
    await a.users(1);
    const told = values((await metrics()).body);
    expect(told.get('tidemark_memory_entries{cache="a"}')).toBe(1);
    expect(told.get('tidemark_memory_entries{cache="b"}')).toBe(0);
    await Promise.all([a.operations.close(), b.operations.close()]);
  });

  it("leaves a registry's other metrics alone, and takes its own out again", async () => {
    const { operations, register } = setUp();
    const mine = new Counter({ name: 'mine_total', help: 'mine', registers: [register] });
    mine.inc(2);
    const made = prometheus(operations, { register, prefix: 'shop_' });
    const { body } = await made.metrics();
    expect(body).toContain('mine_total 2');
    expect(body).toContain('shop_attached');
    expect(() => prometheus(operations, { register, prefix: 'shop_' })).toThrow(
      /"shop_hits_total" is not a name that is free/,
    );
    made.close();
    made.close();
    expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(['mine_total']);
    await operations.close();
  });

  it.each([
    [{ register: undefined }, /register: undefined is not a registry of prom-client/],
    [{ prefix: '1x' }, /prefix: "1x" is not/],
    [{ labels: { query: 'x' } }, /labels: "query" is not a name of a label that is free/],
    [{ labels: { region: 1 } }, /labels.region: 1 is not a text/],
    [{ registry: 1 }, /there is no option "registry"/],
  ])('refuses %j', async (options, message) => {
    const { operations, register } = setUp();
    expect(() => prometheus(operations, { register, ...options } as PrometheusOptions)).toThrow(message);
    expect(register.getMetricsAsArray()).toEqual([]);
    expect(() => prometheus([], { register })).toThrow(/operations: undefined is not made by createOperations/);
    await operations.close();
  });
});
