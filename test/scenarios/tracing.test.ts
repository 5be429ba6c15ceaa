import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cache, createCache, createPublisher, key } from '../../src/index.ts';
import { openTelemetry } from '../../src/opentelemetry/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const requests = tracerProvider.getTracer('requests');

let server: RedisServer;
let fleet: readonly Cache[];

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  server = await startRedis();
  const tracing = openTelemetry({ tracerProvider });
  fleet = [1, 2, 3].map(() => createCache({ name: 'shop', ...redis({ url: server.url }), tracing }));
  await Promise.all(fleet.map((it) => it.ready()));
});

afterAll(async () => {
  for (const cache of fleet) await cache.close();
  await server.stop();
  context.disable();
  await tracerProvider.shutdown();
});

/** The finished spans of one request, once each node of the fleet has applied what it has changed. */
async function traceOf(work: () => Promise<unknown>): Promise<{ root: ReadableSpan; spans: readonly ReadableSpan[] }> {
  const span = requests.startSpan('POST /users/1');
  await context.with(trace.setSpan(context.active(), span), work);
  span.end();
  const { traceId, spanId } = span.spanContext();
  const own = (): ReadableSpan[] => exporter.getFinishedSpans().filter((it) => it.spanContext().traceId === traceId);
  await waitUntil(() => own().filter((it) => it.name === 'apply shop').length === fleet.length);
  const root = own().find((it) => it.spanContext().spanId === spanId);
  return { root: root as ReadableSpan, spans: own().filter((it) => it !== root) };
}

function nodesOf(spans: readonly ReadableSpan[]): Set<unknown> {
  return new Set(spans.filter((it) => it.name === 'apply shop').map((it) => it.attributes['tidemark.node']));
}

it('the trace of a request has its loads and requests to Redis, its append, and when each node has applied it', async () => {
  const [first, second] = fleet as [Cache, Cache];
  const before = Date.now();
  const { root, spans } = await traceOf(async () => {
    await first.getOrSet(['user', 1], () => Promise.resolve('Ada'));
    await first.invalidate(key('user', 1));
    await second.getOrSet(['user', 1], () => Promise.resolve('Grace'));
    await waitUntil(async () => (await second.get(['user', 1])) === 'Grace');
  });
  const byName = (name: string): ReadableSpan[] => spans.filter((it) => it.name === name);
  const parents = (name: string): unknown[] => byName(name).map((it) => it.parentSpanContext?.spanId);
  const own = root.spanContext().spanId;
  for (const name of ['load shop', 'get shop', 'set shop', 'invalidate shop'])
    expect([name, ...new Set(parents(name))]).toEqual([name, own]);
  expect(byName('get shop')[0]?.attributes['db.system.name']).toBe('redis');
  const call = byName('invalidate shop')[0]?.spanContext().spanId;
  expect(parents('append shop')).toEqual([call]);
  expect(parents('apply shop')).toEqual([call, call, call]);
  expect(nodesOf(spans)).toEqual(new Set(fleet.map((it) => it.parts.node)));
  for (const { startTime } of byName('apply shop')) {
    const at = startTime[0] * 1_000 + startTime[1] / 1e6;
    expect(at).toBeGreaterThanOrEqual(before - 1);
    expect(at).toBeLessThanOrEqual(Date.now() + 1);
  }
});

it('many requests at once share appends, and each has the nodes that applied its own', async () => {
  const [first] = fleet as [Cache];
  const traces = await Promise.all(
    Array.from({ length: 10 }, (_, i) => traceOf(() => first.invalidate(key('user', i)))),
  );
  for (const { spans } of traces) {
    expect(nodesOf(spans)).toEqual(new Set(fleet.map((it) => it.parts.node)));
    expect(spans.filter((it) => it.name === 'append shop')).toHaveLength(1);
  }
});

it('a publisher passes on the trace of its caller', async () => {
  const tracing = openTelemetry({ tracerProvider });
  const publisher = createPublisher({ name: 'shop', source: 'users', ...redis({ url: server.url }), tracing });
  const { root, spans } = await traceOf(() => publisher.publish('user', '1'));
  await publisher.close();
  const [call] = spans.filter((it) => it.name === 'publish shop');
  expect(call?.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
  expect(nodesOf(spans)).toEqual(new Set(fleet.map((it) => it.parts.node)));
});
