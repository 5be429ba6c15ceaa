import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type Cache,
  type CacheOptions,
  createCache,
  type Diagnostics,
  key,
  memoryLog,
  memoryReports,
  type Presence,
  type RelayReport,
  type Reports,
  type ServerReport,
} from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Histogram } from './histogram.ts';
import { type NodeReportContent, readReport } from './node-report.ts';
import { createOperations, type Operations, type OperationsOptions } from './operations.ts';

let clock: FakeClock;
let parts: Pick<CacheOptions, 'log' | 'reports' | 'clock'>;
let reports: Reports;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  clock = new FakeClock();
  const shared = memoryReports();
  reports = shared({ clock });
  parts = { log: memoryLog(), reports: shared, clock };
});

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function join(options: Partial<CacheOptions> = {}, watched: OperationsOptions = {}): Operations & { cache: Cache } {
  const cache = createCache({ name: 'shop', ...parts, ...options });
  const operations = createOperations(cache, { sampler: false, ...watched });
  ends.push(
    () => cache.close(),
    () => operations.close(),
  );
  return operations;
}

/** Whatever another process may have published. */
const publish = (node: string, report: object): Promise<void> => reports.publish(node, JSON.stringify(report), 60_000);

const served = (over: Partial<ServerReport> = {}): Diagnostics =>
  ({
    server: async () => ({
      server: 'redis 7.0',
      role: 'primary',
      evictionPolicy: 'volatile-lru',
      memoryMost: 0,
      ...over,
    }),
  }) as unknown as Diagnostics;

const relay = (over: Partial<RelayReport> = {}): RelayReport => ({
  ...{ v: 1, kind: 'relay', state: 'active', every: 5_000, reachable: true, lagMs: 0, waiting: 0, problem: null },
  ...{ host: 'h', pid: 1, version: '0' },
  ...over,
});

it('shows one node alone, without any server', async () => {
  const cache = createCache({ name: 'shop', clock });
  const operations = createOperations(cache, { sampler: false });
  const fleet = await operations.fleet();
  expect(fleet).toMatchObject({ status: 'healthy', reasons: [], server: undefined, relay: undefined });
  expect(fleet.nodes).toMatchObject([
    { node: cache.parts.node, kind: 'node', status: 'healthy', attached: true, lag: 0, reportAge: 0, pid: process.pid },
  ]);
  await operations.close();
  await cache.close();
});

it('shows all that report, from each of them, and none that has left', async () => {
  const [one, two, three] = [join(), join(), join()];
  await clock.advance(0);
  const names = [one, two, three].map(({ cache }) => cache.parts.node).sort();
  for (const it of [one, two, three]) expect((await it.fleet()).nodes.map(({ node }) => node)).toEqual(names);
  await two.close();
  expect((await one.fleet()).nodes).toHaveLength(2);
  const [{ version } = { version: '' }] = (await one.fleet()).nodes;
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});

it('knows an entry of another node only from its report, and how old that is', async () => {
  const [one, two] = [join(), join()];
  await two.cache.getOrSet('a', () => 'x'.repeat(100));
  await clock.advance(5_000);
  await two.cache.getOrSet('b', () => 1);
  await clock.advance(2_000);
  const view = (await one.fleet()).nodes.find(({ node }) => node === two.cache.parts.node);
  expect(view?.reportAge).toBeGreaterThanOrEqual(2_000);
  expect(view?.reportAge).toBeLessThan(5_000);
  expect(view?.entries).toBe(1);
});

it('merges what the nodes have measured: neither rates nor percentiles are averaged', async () => {
  const [one, two] = [join(), join()];
  // A hundred reads here, two there: a mean of their rates would say 50 %.
  await one.cache.getOrSet('a', () => 1);
  for (let i = 0; i < 99; i++) await one.cache.getOrSet('a', () => 1);
  const slow = (ms: number) => () => new Promise<number>((resolve) => clock.schedule(ms, () => resolve(1)));
  for (const name of ['x', 'y']) {
    const read = two.cache.getOrSet(name, slow(300));
    await clock.advance(300);
    await read;
  }
  await clock.advance(6_000);
  const { total } = await one.fleet();
  expect(total.reads).toBe(102);
  expect(total.hitRate).toBeCloseTo(99 / 102);
  expect(total.latency.count).toBeGreaterThan(95);
  expect(total.latency.max).toBeGreaterThan(290);
  // Two of a hundred are slow: not the slowest 5 %.
  expect(total.latencyP95).toBeLessThan(10);
  expect(total.latency.p99).toBeGreaterThan(290);
});

it('takes reports of other releases, and leaves out what it cannot read', async () => {
  const one = join();
  await publish('old#1', { v: 0, kind: 'node', status: 'superb', reads: 'many', reasons: 'none', ready: 1 });
  await publish('new#1', {
    ...{ v: 7, kind: 'node', status: 'degraded', ready: true, attached: true, entries: 12, hitRate: 0.5 },
    ...{ flavour: 'new', window: { hits: 5, missed: 5, ms: 1_000, other: {} }, reads: { counts: 'nonsense', sum: 1 } },
    reasons: [{ code: 'flavour', status: 'peculiar', message: 'too sweet', recommendation: 'salt' }, 'x'],
  });
  await publish('odd#1', { kind: 'toaster' });
  await reports.publish('bad#1', '{', 60_000);
  await reports.publish('null#1', 'null', 60_000);
  const fleet = await one.fleet();
  expect(fleet.nodes.map(({ node }) => node)).toEqual(['new#1', 'old#1', one.cache.parts.node].sort());
  expect(fleet.nodes.find(({ node }) => node === 'new#1')).toMatchObject({
    entries: 12,
    hitRate: 0.5,
    status: 'degraded',
  });
  expect(fleet.total).toMatchObject({ nodes: 3, ready: 2, reads: 10, hitRate: 0.5 });
  expect(fleet.reasons).toContainEqual({
    ...{ code: 'flavour', status: 'degraded', recommendation: 'salt' },
    message: '1 of 3 nodes (new#1): too sweet',
  });
});

it('is critical where something is for most of its nodes, else degraded', async () => {
  const one = join();
  const ill: Partial<NodeReportContent> = {
    ...{ kind: 'node', ready: true, status: 'critical', attached: true },
    reasons: [{ code: 'latency', status: 'critical', message: 'slow', recommendation: 'hurry' }],
  };
  await publish('b#1', ill);
  expect(await one.fleet()).toMatchObject({ status: 'degraded', reasons: [{ code: 'latency', status: 'degraded' }] });
  await publish('c#1', ill);
  expect(await one.fleet()).toMatchObject({
    status: 'critical',
    reasons: [{ code: 'latency', status: 'critical', message: '2 of 3 nodes (b#1, c#1): slow' }],
    recommendations: ['hurry'],
  });
});

it('tells who is listed and says nothing, and a fleet in which nobody is ready', async () => {
  const listed = ['shop#dead', 'shop#deaf'].map((node) => ({ node, applied: { epoch: '', number: 0 } }));
  const presence = {
    ...{ register: async () => {}, remove: async () => {} },
    list: async () => ({ id: '1', longest: 0, nodes: listed }),
  } satisfies Presence;
  const one = join({ presence });
  const fleet = await one.fleet();
  expect(fleet.status).toBe('degraded');
  expect(fleet.nodes.filter(({ status }) => status === 'silent').map(({ node }) => node)).toEqual([
    'shop#dead',
    'shop#deaf',
  ]);
  expect(fleet.reasons).toMatchObject([
    { code: 'silent', message: '2 of 3 nodes are in the list and publish no report: shop#dead, shop#deaf.' },
  ]);
  await one.close();
  const looks = join({ presence }, { reportEvery: false });
  expect(await looks.fleet()).toMatchObject({
    status: 'critical',
    reasons: [{ status: 'critical', message: 'No process of this cache reports.' }, { code: 'silent' }],
  });
});

it('looks at a fleet without being of it', async () => {
  const [one, looks] = [join(), join({}, { reportEvery: false })];
  await clock.advance(20_000);
  expect((await looks.fleet()).nodes.map(({ node }) => node)).toEqual([one.cache.parts.node]);
  expect((await one.fleet()).nodes).toHaveLength(1);
});

it('says how far a node is behind: at most as long as its proof is old, and nothing where it has what there is', async () => {
  const one = join();
  await one.cache.invalidate(key('a'));
  const own = JSON.parse((await reports.list())[0]?.report ?? '{}') as NodeReportContent;
  const { position } = one.cache.status();
  const [, epoch = ''] = position.split('.');
  const behind = { ...own, position: `1.${epoch}.0`, provenAge: 400 };
  await publish('behind#1', behind);
  await publish('elsewhere#1', { ...own, position: `1.${'f'.repeat(16)}.0`, provenAge: 700, attached: false });
  await clock.advance(100);
  const lags = Object.fromEntries((await one.fleet()).nodes.map(({ node, lag }) => [node, lag]));
  expect(lags[one.cache.parts.node]).toBe(0);
  // One record, a microsecond: the log in memory counts, where that on Redis takes the time.
  expect(lags['behind#1']).toBe(0.001);
  expect(lags['elsewhere#1']).toBe(800);
});

it('remembers a relay that was killed, until another works', async () => {
  const one = join();
  await reports.publish('relay#1', JSON.stringify(relay()), 86_400_000);
  await clock.advance(15_000);
  expect(await one.fleet()).toMatchObject({ status: 'healthy', relay: { active: 'relay#1', silent: [] } });
  await clock.advance(1);
  const killed = await one.fleet();
  expect(killed).toMatchObject({
    ...{ status: 'degraded', relay: { active: undefined, silent: ['relay#1'] } },
    reasons: [{ code: 'relay', message: expect.stringContaining('relay#1 has said nothing') as string }],
  });
  expect(killed.recommendations).toEqual([expect.stringContaining('Start the relay again')]);
  expect(killed.nodes.find(({ node }) => node === 'relay#1')).toMatchObject({ kind: 'relay', status: 'silent' });
  await publish('relay#2', relay());
  const taken = await one.fleet();
  expect(taken).toMatchObject({ status: 'healthy', relay: { active: 'relay#2', silent: [] } });
  expect(taken.nodes.map(({ node }) => node)).not.toContain('relay#1');
});

it('says how far a relay is behind, and that none works', async () => {
  const one = join();
  await publish('relay#1', relay({ lagMs: 20 }));
  await publish('relay#2', relay({ state: 'standby', lagMs: null }));
  expect(await one.fleet()).toMatchObject({
    status: 'healthy',
    relay: { active: 'relay#1', standby: 1, lagMs: 20, waiting: 0, problem: undefined },
  });
  await publish('relay#1', relay({ lagMs: 9_000, waiting: 70 }));
  expect(await one.fleet()).toMatchObject({
    status: 'degraded',
    reasons: [{ code: 'relay', message: 'The relay relay#1 is 9 s behind its database; 70 rows of the outbox wait.' }],
  });
  await publish('relay#1', relay({ lagMs: 61_000 }));
  expect((await one.fleet()).status).toBe('critical');
  await publish('relay#1', relay({ lagMs: null, problem: 'the slot is gone' }));
  expect((await one.fleet()).reasons).toMatchObject([
    { message: expect.stringContaining('the slot is gone') as string },
  ]);
  await reports.withdraw('relay#1');
  expect(await one.fleet()).toMatchObject({
    status: 'degraded',
    reasons: [{ code: 'relay', message: expect.stringContaining('No relay works') as string }],
  });
});

it.each<[string, Partial<ServerReport>, string]>([
  ['no limit', { evictionPolicy: 'allkeys-lru', memoryUsed: 99, memoryMost: 0 }, 'healthy'],
  ['a policy that spares the log', { evictionPolicy: 'volatile-lru', memoryUsed: 99, memoryMost: 100 }, 'healthy'],
  ['enough memory', { evictionPolicy: 'noeviction', memoryUsed: 89, memoryMost: 100 }, 'healthy'],
  ['little memory', { evictionPolicy: 'noeviction', memoryUsed: 90, memoryMost: 100 }, 'degraded'],
  ['no memory', { evictionPolicy: 'noeviction', memoryUsed: 98, memoryMost: 100 }, 'critical'],
  ['a policy that may take the log', { evictionPolicy: 'allkeys-lfu', memoryUsed: 10, memoryMost: 100 }, 'degraded'],
  ['a replica', { role: 'replica' }, 'critical'],
  ['what says nothing', { evictionPolicy: undefined, memoryMost: undefined, role: undefined }, 'healthy'],
])('judges a server with %s', async (_what, server, status) => {
  const fleet = await join({ diagnostics: served(server) }).fleet();
  expect(fleet.status).toBe(status);
  expect(fleet.reasons.every(({ code }) => code === 'server')).toBe(true);
  expect(fleet.server).toMatchObject(server);
});

it('is told within seconds where the server fails or hangs', async () => {
  const hangs = { server: () => new Promise<never>(() => {}) } as unknown as Diagnostics;
  const fails: Reports = { ...reports, list: () => Promise.reject(new Error('no connection')) };
  const one = join({ diagnostics: hangs, reports: fails });
  const asked = one.fleet();
  await clock.advance(5_000);
  const fleet = await asked;
  expect(fleet.nodes).toHaveLength(1);
  expect(fleet.reasons).toMatchObject([
    { code: 'server', message: 'Not known, since the server has not answered: reports, server. no connection' },
  ]);
});

it('refuses a pause that would keep nodes busy', () => {
  const cache = createCache({ name: 'shop', clock });
  ends.push(() => cache.close());
  expect(() => createOperations(cache, { reportEvery: 100 })).toThrow(/^reportEvery: 100 is less than 500 ms/);
  expect(() => createOperations(cache, { reportEvery: 'soon' as '5s' })).toThrow('reportEvery');
});

it('stays small, and is read as it was written', async () => {
  const one = join();
  for (let i = 0; i < 500; i++) await one.cache.getOrSet(`k${i % 300}`, () => i);
  await clock.advance(5_000);
  const [published] = await reports.list();
  expect(published?.report.length).toBeLessThan(8_192);
  const said = readReport(published?.report ?? '') as NodeReportContent;
  expect(JSON.parse(published?.report ?? '')).toEqual(said);
  expect(Histogram.of(said.reads).latency.count).toBeGreaterThan(200);
});
