import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { type Cache, createCache, key } from '../../src/index.ts';
import { createOperations, mergeLatency, type Operations } from '../../src/operations/index.ts';
import { prometheus } from '../../src/prometheus/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';
import { promtool } from '../servers/promtool.ts';

const shared = emptiedRedis();
let nodes: { readonly cache: Cache; readonly operations: Operations }[] = [];

afterEach(async () => {
  await Promise.all(nodes.map(({ operations }) => operations.close()));
  await Promise.all(nodes.map(({ cache }) => cache.close()));
  nodes = [];
});

async function node(): Promise<{ cache: Cache; operations: Operations; users: (id: number) => Promise<number> }> {
  const cache = createCache({ name: 'shop', ...redis({ url: shared.server.url }) });
  const operations = createOperations(cache);
  nodes.push({ cache, operations });
  await cache.ready({ timeout: '10s' });
  return { cache, operations, users: cache.query({ name: 'user', load: (id: number) => id }) };
}

describe('the metrics of a fleet on Redis', () => {
  it('are what its nodes did, by tier, and what was sent is received', { timeout: 30_000 }, async () => {
    const [a, b] = [await node(), await node()];
    for (let id = 0; id < 20; id++) await a.users(id);
    await waitUntil(() => a.operations.metrics().store.writes === 20);
    for (let id = 0; id < 20; id++) await b.users(id);
    for (let id = 0; id < 20; id++) await b.users(id);
    await a.cache.invalidate([key('user', 1)], { cause: { fields: { org: 'ORG1' } } });
    await waitUntil(() => b.operations.metrics().log.received === 1);

    const [ofA, ofB] = [a.operations.metrics(), b.operations.metrics()];
    expect(ofA.total).toMatchObject({ hits: { memory: 0, store: 0 }, missed: 20, loads: 20 });
    expect(ofB.total).toMatchObject({ hits: { memory: 20, store: 20 }, missed: 0, loads: 0, promotions: 20 });
    expect(ofB.total.latency.store.count).toBe(20);
    expect(ofB.total.latency.store.p50).toBeGreaterThan(0);
    expect(ofA.log).toMatchObject({ sent: 1, applied: 1, received: 0, publish: { count: 1 } });
    expect(ofB.log).toMatchObject({ sent: 0, applied: 1, received: 1, delay: { count: 1 } });
    for (const { invalidations } of [ofA, ofB]) expect(invalidations.byTenant).toEqual({ ORG1: 1 });
    const merged = mergeLatency([a, b].map(({ operations }) => operations.meter.states().read));
    expect(merged.count).toBe(60);
  });

  it("are told to Prometheus with the server's own", { timeout: 120_000 }, async () => {
    const { operations, users } = await node();
    await users(1);
    const { metrics } = prometheus(operations, { register: new Registry() });
    const { body } = await metrics();
    expect(body).toMatch(/^tidemark_server_up\{cache="shop"\} 1$/m);
    for (const name of ['memory_used_bytes', 'clients', 'keyspace_misses_total', 'log_bytes'])
      expect(body).toMatch(new RegExp(`^tidemark_server_${name}\\{cache="shop"\\} [1-9]`, 'm'));
    // The server counts whole seconds, and may be younger than one.
    expect(body).toMatch(/^tidemark_server_uptime_seconds\{cache="shop"\} \d/m);
    expect(body).toMatch(/^tidemark_server_info\{cache="shop",server="[a-z]+ \d[^"]*",role="primary"/m);
    expect(promtool(['check', 'metrics'], body)).toEqual({ ok: true, output: '' });
  });
});
