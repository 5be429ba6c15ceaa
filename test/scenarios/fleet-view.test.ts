import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Cache, type CacheOptions, createCache, tag } from '../../src/index.ts';
import { createOperations, type Operations, type OperationsOptions } from '../../src/operations/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { Service } from './service.ts';

const MAX_LAG = 500;
const patient = { timeout: 15_000, every: 50 } as const;

let server: RedisServer;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await ask(server.port, 'FLUSHALL');
});
afterAll(() => server.stop());

interface Node {
  readonly cache: Cache;
  readonly operations: Operations;
  readonly name: string;
}

async function join(watched: OperationsOptions = {}, options: Partial<CacheOptions> = {}): Promise<Node> {
  const cache = createCache({ name: 'shop', maxLag: MAX_LAG, ...redis({ url: server.url }), ...options });
  const operations = createOperations(cache, { sampler: false, reportEvery: '500ms', ...watched });
  ends.push(async () => {
    await operations.close();
    await cache.close();
  });
  await cache.ready({ timeout: '15s' });
  return { cache, operations, name: cache.parts.node };
}

const looks = (): Promise<Node> => join({ reportEvery: false }, { presence: undefined } as unknown as CacheOptions);

it('shows every process from any of them: who is there, who has been killed, and who left in good order', async () => {
  const [one, two] = [await join(), await join()];
  const service = new Service();
  await service.start(server.url, MAX_LAG);
  await waitUntil(async () => (await one.operations.fleet()).nodes.length === 3, patient);
  const fleet = await two.operations.fleet();
  const [silent, ...others] = [...fleet.nodes].sort((a, b) => b.reportAge - a.reportAge);
  // A process that runs without operations is in the list of nodes, and says nothing.
  expect(silent).toMatchObject({ status: 'silent', reportAge: Number.POSITIVE_INFINITY });
  expect(others.map(({ node }) => node).sort()).toEqual([one.name, two.name].sort());
  for (const view of others)
    expect(view).toMatchObject({ kind: 'node', status: 'healthy', attached: true, pid: process.pid });
  expect(fleet.reasons).toMatchObject([{ code: 'silent', status: 'degraded' }]);
  expect(fleet.server).toMatchObject({ role: 'primary', evictionPolicy: 'noeviction' });
  await service.stop();
  await waitUntil(async () => (await one.operations.fleet()).status === 'healthy', patient);
  await two.operations.close();
  await two.cache.close();
  await waitUntil(async () => (await one.operations.fleet()).nodes.length === 1, patient);
}, 40_000);

it('shows who is behind, and that all have what there is once nothing is written', async () => {
  const [one, two, observer] = [await join(), await join(), await looks()];
  for (let i = 0; i < 20; i++) await one.cache.invalidate(tag(`t${i}`));
  await waitUntil(async () => {
    const { nodes } = await observer.operations.fleet();
    return nodes.length === 2 && nodes.every(({ lag }) => lag === 0);
  }, patient);
  const { nodes } = await observer.operations.fleet();
  expect(nodes.map(({ node }) => node).sort()).toEqual([one.name, two.name].sort());
  expect(new Set(nodes.map(({ position }) => position))).toEqual(new Set([one.cache.status().position]));
  // While records are written, nobody is further behind than its proof and its report are old.
  for (let i = 0; i < 50; i++) {
    void one.cache.invalidate(tag(`more${i}`));
    const seen = await observer.operations.fleet();
    for (const { lag, provenAge, reportAge } of seen.nodes) expect(lag).toBeLessThanOrEqual(provenAge + reportAge);
  }
}, 30_000);

it('merges what all have read', async () => {
  const [one, two, observer] = [await join(), await join(), await looks()];
  for (const { cache } of [one, two]) for (let i = 0; i < 300; i++) await cache.getOrSet(`k${i % 10}`, () => i);
  await waitUntil(async () => (await observer.operations.fleet()).total.reads === 600, patient);
  const { total } = await observer.operations.fleet();
  expect(total).toMatchObject({ nodes: 2, ready: 2, entries: 20 });
  // Ten of the first were loaded; the second found them in the store, or was as early as the writing of them.
  expect(total.hitRate).toBeGreaterThan(0.95);
  expect(total.latency.count).toBeGreaterThan(500);
}, 30_000);

it('explains an entry by a record that only the log remembers, and by one that nobody does', async () => {
  const { cache: writer } = await join();
  const { cache, operations } = await join({ records: 2 });
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'] });
  await writer.invalidate([tag('org:7')], { cause: { event: 'budget.updated' } });
  for (let i = 0; i < 30; i++) await writer.invalidate(tag(`other:${i}`));
  await waitUntil(() => cache.status().position === writer.status().position, patient);
  const { entries, sentence } = await operations.explain('user:42');
  expect(sentence).toBe('The next read of user:42 loads it: no tier has an entry that may be served.');
  expect(entries[0]).toMatchObject({
    ...{ tier: 'memory', verdict: 'label' },
    covering: { by: 'tag org:7', event: 'budget.updated', origin: writer.parts.node, appliedAt: undefined },
  });
  await ask(server.port, 'XTRIM', '{shop}:stream', 'MAXLEN', '1');
  const [after] = (await operations.explain('user:42')).entries;
  expect(after?.covering).toBeUndefined();
  expect(after?.sentence).toContain('tag org:7 was invalidated since');
  expect(after?.sentence).toContain('remembered neither here nor in the log any more');
}, 30_000);

it('goes on while the server hangs: reads, and what the fleet looks like', async () => {
  const { cache, operations, name } = await join();
  await cache.getOrSet('a', () => 1);
  server.signal('SIGSTOP');
  try {
    await waitUntil(() => !cache.status().attached, patient);
    expect(await cache.getOrSet('a', () => 2)).toBe(2);
    const fleet = await operations.fleet();
    expect(fleet.nodes).toMatchObject([{ node: name, attached: false }]);
    expect(fleet.reasons.map(({ code }) => code)).toContain('server');
  } finally {
    server.signal('SIGCONT');
  }
  await waitUntil(async () => (await operations.fleet()).server !== undefined, patient);
}, 40_000);
