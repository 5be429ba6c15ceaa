import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { metrics } from '../../monitoring/metric.ts';
import { type Cache, createCache, tag } from '../../src/index.ts';
import { createOperations } from '../../src/operations/index.ts';
import { prometheus } from '../../src/prometheus/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Gateway } from '../servers/gateway.ts';
import { startPrometheus } from '../servers/prometheus-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { serveWeb, type WebServer } from '../servers/web-server.ts';

const RULES = fileURLToPath(new URL('../../monitoring/tidemark-alerts.yml', import.meta.url));
const PATIENT = { timeout: 60_000, every: 200 } as const;

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A process as a user would write it: a cache, its operations, and an endpoint. */
async function serve(url: string): Promise<{ readonly cache: Cache; readonly web: WebServer }> {
  const cache = createCache({ name: 'shop', ...redis({ url }) });
  const operations = createOperations(cache, { sampler: false });
  const exporter = prometheus(operations, { register: new Registry() });
  const web = await serveWeb(async () => {
    const { contentType, body } = await exporter.metrics();
    return new Response(body, { headers: { 'content-type': contentType } });
  });
  ends.push(
    () => cache.close(),
    () => operations.close(),
    () => web.close(),
  );
  await cache.ready();
  return { cache, web };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
  }[];
}

interface Alerts {
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly state: string;
  }[];
}

it('Prometheus scrapes real nodes, takes the rules, and tells of what is wrong', { timeout: 180_000 }, async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const gateway = new Gateway(server.port);
  const far = await gateway.listen();
  ends.push(() => gateway.close());
  const nodes = [await serve(server.url), await serve(far)] as const;
  const [near, cutOff] = nodes;
  const target = (web: WebServer): string => `instance="127.0.0.1:${web.port}"`;
  const shop = prometheusLabels(target(near.web));

  const watch = await startPrometheus(
    nodes.map(({ web }) => web.port),
    [RULES],
  );
  ends.push(() => watch.stop());

  // Both targets are up, and what a node reads is told.
  await waitUntil(async () => (await watch.query('sum(up)')).get('{}') === 2, PATIENT);
  const users = near.cache.query({ name: 'user', load: (id: number) => ({ id }), tags: () => ['users'] });
  for (let i = 0; i < 10; i++) await users(1);
  await waitUntil(
    async () =>
      (await watch.query('tidemark_hits_total{query="user",tier="memory"}')).get(
        `{cache="shop",${target(near.web)},job="api",query="user",tier="memory"}`,
      ) === 9,
    PATIENT,
  );
  const known = (await watch.ask('/api/v1/label/__name__/values')) as readonly string[];
  const expected = [...metrics].map(([name, { kind }]) => (kind === 'histogram' ? `${name}_bucket` : name));
  // What only a fleet with relays, breakers, samples, tenants or a memory limit tells is not there.
  const absent = expected.filter((name) => !known.includes(name));
  expect(
    absent.filter((name) => !/relay|breaker|samples|violations|consistency|tenant|entity|timestamp/.test(name)),
  ).toEqual([]);

  // All rules are evaluated, and none is content with an error.
  const all = async (): Promise<Rules['groups'][number]['rules']> =>
    ((await watch.ask('/api/v1/rules')) as Rules).groups.flatMap(({ rules }) => rules);
  await waitUntil(async () => (await all()).every(({ health }) => health !== 'unknown'), PATIENT);
  expect((await all()).filter(({ health }) => health !== 'ok')).toEqual([]);
  expect((await all()).length).toBeGreaterThan(30);

  // A node that is cut off, and a tenant that is invalidated again and again.
  const active = async (name: string): Promise<Alerts['alerts']> =>
    ((await watch.ask('/api/v1/alerts')) as Alerts).alerts.filter(({ labels }) => labels['alertname'] === name);
  expect(await active('TidemarkNodeDetached')).toEqual([]);
  expect(await active('TidemarkTenantStorm')).toEqual([]);
  gateway.state = 'closed';
  gateway.cut();
  const cause = { fields: { org: 'ORG1' } };
  for (let i = 0; i < 101; i++) await near.cache.invalidate([tag('users')], { cause });
  const storm = await waitUntil(async () => (await active('TidemarkTenantStorm'))[0], PATIENT);
  expect(storm).toMatchObject({
    state: 'firing',
    labels: { cache: 'shop', job: 'api', tenant: 'ORG1', severity: 'warning' },
    annotations: { summary: 'Tenant ORG1 is invalidated very often' },
  });
  const detached = await waitUntil(async () => (await active('TidemarkNodeDetached'))[0], PATIENT);
  expect(detached).toMatchObject({ state: 'pending', labels: { instance: `127.0.0.1:${cutOff.web.port}` } });
  expect((await watch.query('tidemark_attached')).get(shop)).toBe(1);

  // It comes back, and nothing is told of it any more.
  gateway.state = 'open';
  await waitUntil(async () => (await active('TidemarkNodeDetached')).length === 0, PATIENT);
});

function prometheusLabels(instance: string): string {
  return `{cache="shop",${instance},job="api"}`;
}
