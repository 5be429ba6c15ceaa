import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cache, type CacheOptions, createCache, key, memoryLog, memoryStore, tag } from '../index.ts';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { partContext } from '../testing/part-context.ts';
import { type OpenTelemetryOptions, openTelemetry } from './index.ts';

const contexts = new AsyncLocalStorageContextManager();
const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const requests = tracerProvider.getTracer('requests');
const caches: Cache[] = [];

beforeAll(() => {
  context.setGlobalContextManager(contexts.enable());
});

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
  exporter.reset();
});

afterAll(async () => {
  context.disable();
  await tracerProvider.shutdown();
});

function setUp(options: OpenTelemetryOptions = {}, given: Partial<CacheOptions> = {}) {
  const clock = (given.clock as FakeClock | undefined) ?? new FakeClock();
  const cache = createCache({ name: 'shop', clock, tracing: openTelemetry({ tracerProvider, ...options }), ...given });
  caches.push(cache);
  return { cache, clock };
}

/** Runs `work` in a span of a request, and says which it is. */
async function request<T>(work: () => T | Promise<T>, tracer: Tracer = requests): Promise<Span> {
  const span = tracer.startSpan('GET /');
  await context.with(trace.setSpan(context.active(), span), work);
  span.end();
  await promisesSettled();
  return span;
}

function broken(): never {
  throw new Error('broken provider');
}

function spans(name: RegExp): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((it) => name.test(it.name));
}

describe('reads', () => {
  it('load and store are children of the request that has asked, and a hit in memory is no span', async () => {
    const clock = new FakeClock();
    const { cache } = setUp({}, { clock, store: Object.assign(memoryStore()({ clock }), { system: 'redis' }) });
    const users = cache.query({ name: 'user', load: async (id: number) => ({ id }) });
    const span = await request(async () => {
      await users(1);
      await users(1);
    });
    const { spanId, traceId } = span.spanContext();
    expect(
      exporter
        .getFinishedSpans()
        .filter((it) => it.name !== 'GET /')
        .map((it) => [it.name, it.kind, it.parentSpanContext?.spanId, it.spanContext().traceId, it.attributes]),
    ).toEqual([
      [
        'get shop',
        SpanKind.CLIENT,
        spanId,
        traceId,
        { 'tidemark.cache': 'shop', 'db.system.name': 'redis', 'db.operation.name': 'get' },
      ],
      ['load user', SpanKind.INTERNAL, spanId, traceId, { 'tidemark.cache': 'shop', 'tidemark.query': 'user' }],
      [
        'set shop',
        SpanKind.CLIENT,
        spanId,
        traceId,
        {
          ...{ 'tidemark.cache': 'shop', 'db.system.name': 'redis', 'db.operation.name': 'set' },
          'tidemark.bytes': expect.any(Number),
        },
      ],
    ]);
  });

  it("what the loader does is below its load's span", async () => {
    const { cache } = setUp();
    await request(() => cache.getOrSet('k', async () => requests.startSpan('SELECT').end()));
    expect(spans(/SELECT/)[0]?.parentSpanContext?.spanId).toBe(spans(/load/)[0]?.spanContext().spanId);
  });

  it('keys are told only where that is allowed, also by errors', async () => {
    const late = async (cache: Cache, clock: FakeClock): Promise<void> => {
      const reading = cache.getOrSet(['user', 'ada'], () => new Promise(() => {}), { timeout: 10, tags: ['org:7'] });
      const settled = reading.catch(() => undefined);
      await clock.advance(20);
      await settled;
      await cache.invalidate([key('user', 'ada'), tag('org:7')], { cause: { entityType: 'user', entityId: 'ada' } });
    };
    const closed = setUp();
    await request(() => late(closed.cache, closed.clock));
    const told = exporter.getFinishedSpans().map(({ attributes, events, status }) => ({ attributes, events, status }));
    expect(JSON.stringify(told)).toContain('LOAD_TIMEOUT');
    expect(JSON.stringify(told)).not.toMatch(/ada|org:7/);
    exporter.reset();
    const open = setUp({ keys: true });
    await request(() => late(open.cache, open.clock));
    expect(spans(/load/)[0]?.attributes).toMatchObject({ 'tidemark.key': 'user:ada', 'error.type': 'LOAD_TIMEOUT' });
    expect(spans(/invalidate/)[0]?.attributes).toMatchObject({
      'tidemark.targets': ['key user:ada', 'tag org:7'],
      'tidemark.entity_id': 'ada',
    });
  });

  it("a loader's own error is recorded as it is", async () => {
    const { cache } = setUp();
    await request(() => cache.getOrSet('k', () => Promise.reject(new RangeError('no row'))).catch(() => undefined));
    const [span] = spans(/load/);
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no row' });
    expect(span?.attributes['error.type']).toBe('RangeError');
    expect(span?.events[0]?.attributes).toMatchObject({ 'exception.message': 'no row' });
  });
});

describe('an invalidation', () => {
  it('is one trace: the request, the call, the append, and each node that applied it, with its time', async () => {
    const clock = new FakeClock();
    const log = memoryLog()(partContext(clock));
    const fleet = [1, 2, 3].map(() => setUp({}, { clock, log: new FaultyLog(log) }).cache);
    await Promise.all(fleet.map((it) => it.ready()));
    const nodes = fleet.map((it) => it.parts.node);
    const span = await request(() => fleet[0]?.invalidate([key('user', 1)], { cause: { event: 'user.renamed' } }));
    const { spanId, traceId } = span.spanContext();
    const [call] = spans(/invalidate shop/);
    expect(call?.parentSpanContext?.spanId).toBe(spanId);
    expect(call?.attributes).toMatchObject({
      ...{ 'tidemark.node': nodes[0], 'tidemark.event': 'user.renamed', 'tidemark.targets.count': 1 },
      ...{ 'tidemark.receipt.status': 'applied', 'tidemark.receipt.token': expect.any(String) },
    });
    const [append] = spans(/append shop/);
    const number = append?.attributes['tidemark.record.number'];
    expect(number).toEqual(expect.any(Number));
    expect(append?.attributes).toMatchObject({
      'messaging.operation.type': 'send',
      'messaging.batch.message_count': 1,
    });
    const applied = spans(/apply shop/);
    expect(new Set(applied.map((it) => it.attributes['tidemark.node']))).toEqual(new Set(nodes));
    for (const it of applied) {
      expect(it.attributes).toMatchObject({
        ...{ 'tidemark.record.number': number, 'tidemark.record.origin': fleet[0]?.parts.node },
        ...{ 'tidemark.event': 'user.renamed', 'tidemark.record.delay_ms': 0 },
      });
      expect(it.kind).toBe(SpanKind.CONSUMER);
      expect(it.startTime).toEqual([clock.wall() / 1_000, 0]);
    }
    for (const it of [append, ...applied]) {
      expect(it?.spanContext().traceId).toBe(traceId);
      expect(it?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
    }
  });

  it('of a trace that nobody records carries nothing, and shares its record with others', async () => {
    const silent = new BasicTracerProvider({ sampler: new TraceIdRatioBasedSampler(0) });
    const { cache } = setUp({ tracerProvider: silent });
    const records: unknown[] = [];
    cache.on((event) => event.type === 'applied' && records.push([event.record.targets, event.record.cause]));
    await request(() => Promise.all([cache.invalidate(key('a')), cache.invalidate(key('b'))]), silent.getTracer('r'));
    expect(records).toEqual([[['key a', 'key b'], undefined]]);
    await silent.shutdown();
  });

  it('outside of any span makes none; with requireParentSpan: false it begins a trace', async () => {
    const { cache } = setUp();
    await cache.invalidate(key('a'));
    await cache.getOrSet('a', () => 1);
    expect(exporter.getFinishedSpans()).toEqual([]);
    const { cache: other } = setUp({ requireParentSpan: false });
    await other.invalidate(key('a'));
    expect(exporter.getFinishedSpans().map((it) => it.name)).toEqual(['apply shop', 'append shop', 'invalidate shop']);
    expect(new Set(exporter.getFinishedSpans().map((it) => it.spanContext().traceId)).size).toBe(1);
  });

  it('with a trace that is none is no span where it is applied', async () => {
    const { cache } = setUp();
    await cache.invalidate([key('a')], { cause: { trace: 'mine' } });
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('spans of what is applied are bounded in a second', async () => {
    const { cache, clock } = setUp({ appliedPerSecond: 2 });
    const burst = (): Promise<unknown> =>
      request(async () => {
        for (let i = 0; i < 5; i++) await cache.invalidate(key('k', i));
      });
    await burst();
    expect(spans(/apply/)).toHaveLength(2);
    await clock.advance(500);
    await burst();
    expect(spans(/apply/)).toHaveLength(3);
    expect(spans(/invalidate/)).toHaveLength(10);
  });
});

describe('openTelemetry', () => {
  it('without a provider records nothing and carries nothing', async () => {
    const cache = createCache({ name: 'shop', clock: new FakeClock(), tracing: openTelemetry() });
    caches.push(cache);
    const causes: unknown[] = [];
    cache.on((event) => event.type === 'applied' && causes.push(event.record.cause));
    const noop = trace.getTracer('nobody').startSpan('GET /');
    await context.with(trace.setSpan(context.active(), noop), () => cache.invalidate(key('a')));
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(causes).toEqual([undefined]);
  });

  it.each([
    ['no span begins', { startSpan: () => broken() }],
    ['no span ends', { startSpan: () => ({ ...requests.startSpan('lost'), end: broken, spanContext: broken }) }],
  ])('a provider by which %s harms nothing, and that is said once', async (_how, tracer) => {
    const lines: unknown[] = [];
    const ignored = (): void => {};
    const error = (_fields: object, message: string): void => void lines.push(message);
    const { cache } = setUp(
      { tracerProvider: { getTracer: () => tracer as unknown as Tracer } },
      { logger: { debug: ignored, info: ignored, warn: ignored, error } },
    );
    await request(async () => {
      expect(await cache.getOrSet('k', () => 1)).toBe(1);
      expect(await cache.getOrSet('l', () => Promise.resolve(2))).toBe(2);
      expect(await cache.invalidate(key('k'))).toMatchObject({ status: 'applied' });
    });
    expect(lines).toEqual([expect.stringMatching(/^cache_tracing:/)]);
  });

  it('does not follow the log in the trace in which the cache happens to be made', async () => {
    const clock = new FakeClock();
    const log = memoryLog()(partContext(clock));
    const within: unknown[] = [];
    const read = log.snapshot.bind(log);
    log.snapshot = () => {
      within.push(trace.getSpanContext(context.active()));
      return read();
    };
    await request(() => setUp({}, { clock, log: new FaultyLog(log) }).cache.ready());
    expect(within).toEqual([undefined]);
  });

  it.each([
    [{ keys: 'yes' }, /keys: "yes" is neither true nor false/],
    [{ requireParentSpan: 1 }, /requireParentSpan: 1 is neither/],
    [{ appliedPerSecond: -1 }, /appliedPerSecond: -1 is not a whole number/],
    [{ tracerProvider: {} }, /tracerProvider: .* is none/],
    [{ tracer: {} }, /tracer/],
  ])('refuses %j', (options, message) => {
    expect(() => openTelemetry(options as OpenTelemetryOptions)).toThrow(message);
  });
});
