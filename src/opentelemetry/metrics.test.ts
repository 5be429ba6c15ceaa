import { MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { createCache, key, memoryStore } from '../index.ts';
import { createOperations, metricList, type Operations, serverMetricList } from '../operations/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { instrumentOf } from './instrument.ts';
import { MEASURED } from './measurement.ts';
import { openTelemetryMetrics, type OpenTelemetryMetricsOptions } from './index.ts';

/** Collects when it is asked to. */
class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function provider() {
  const reader = new Reader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  ends.push(() => meterProvider.shutdown());
  const collect = async (): Promise<Map<string, MetricData>> => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    return new Map(
      resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics).map((it) => [it.descriptor.name, it]),
    );
  };
  return { meterProvider, collect };
}

function setUp(name = 'shop') {
  const clock = new FakeClock();
  const cache = createCache({ name, clock, store: memoryStore()({ clock }) });
  const operations = createOperations(cache);
  ends.push(
    () => operations.close(),
    () => cache.close(),
  );
  const users = cache.query({ name: 'user', load: (id: number) => clock.advance(30).then(() => ({ id })) });
  return { clock, cache, operations, users };
}

function points(data: MetricData | undefined): unknown[] {
  return data?.dataPoints.map(({ attributes, value }) => [attributes, value]) ?? [];
}

describe('openTelemetryMetrics', () => {
  it('tells what operations count, with the name of the cache', async () => {
    const { meterProvider, collect } = provider();
    const { operations, users, cache } = setUp();
    openTelemetryMetrics(operations, { meterProvider });
    for (let i = 0; i < 10; i++) await users(1);
    await cache.invalidate(key('user', 1));
    const told = await collect();
    expect(points(told.get('tidemark.hits'))).toContainEqual([{ cache: 'shop', query: 'user', tier: 'memory' }, 9]);
    expect(points(told.get('tidemark.loads'))).toContainEqual([{ cache: 'shop', query: 'user', outcome: 'ok' }, 1]);
    expect(points(told.get('tidemark.attached'))).toEqual([[{ cache: 'shop' }, 1]]);
    expect(told.get('tidemark.store_written')?.descriptor).toMatchObject({ unit: 'By' });
  });

  it('records durations in seconds as they happen', async () => {
    const { meterProvider, collect } = provider();
    const { operations, users, cache } = setUp();
    openTelemetryMetrics(operations, { meterProvider });
    for (const id of [1, 2]) await users(id);
    await cache.invalidate(key('user', 1));
    const told = await collect();
    expect(points(told.get('tidemark.load_duration'))).toEqual([
      [
        { cache: 'shop', query: 'user' },
        expect.objectContaining({ count: 2, sum: expect.closeTo(0.06), min: 0.03, max: 0.03 }),
      ],
    ]);
    const [reads] = points(told.get('tidemark.read_duration')) as [unknown[]];
    expect(reads).toEqual([{ cache: 'shop', query: 'user', from: 'loader' }, expect.objectContaining({ count: 2 })]);
    for (const name of ['store_write_duration', 'invalidation_duration', 'publish_duration'])
      expect(points(told.get(`tidemark.${name}`))).toHaveLength(1);
  });

  it('tells of several caches by the same instruments, and ends one by one', async () => {
    const { meterProvider, collect } = provider();
    const [a, b] = [setUp('a'), setUp('b')];
    const first = openTelemetryMetrics(a.operations, { meterProvider });
    openTelemetryMetrics(b.operations, { meterProvider });
    expect(points((await collect()).get('tidemark.memory_entries'))).toEqual([
      [{ cache: 'a' }, 0],
      [{ cache: 'b' }, 0],
    ]);
    first.close();
    first.close();
    await b.users(1);
    expect(points((await collect()).get('tidemark.memory_entries'))).toContainEqual([{ cache: 'b' }, 1]);
    await a.users(1);
    expect(points((await collect()).get('tidemark.load_duration'))).toEqual([
      [expect.objectContaining({ cache: 'b' }), expect.anything()],
    ]);
  });

  it('has every metric of the list: each name once, and each duration told by events', () => {
    const names = [...metricList, ...serverMetricList].map((it) => instrumentOf(it).name);
    expect(new Set(names).size).toBe(names.length);
    const histograms = metricList.filter(({ kind }) => kind === 'histogram').map(({ name }) => name);
    expect(new Set(histograms)).toEqual(new Set(MEASURED));
  });

  it.each([
    ['hits_total', { name: 'tidemark.hits', unit: '' }],
    ['read_duration_seconds', { name: 'tidemark.read_duration', unit: 's' }],
    ['store_written_bytes_total', { name: 'tidemark.store_written', unit: 'By' }],
    ['efficiency_ratio', { name: 'tidemark.efficiency', unit: '1' }],
    ['memory_entries', { name: 'tidemark.memory_entries', unit: '' }],
  ])('calls %s %j', (name, instrument) => {
    expect(instrumentOf({ name })).toEqual(instrument);
  });

  it('refuses what is no provider, no operations and no option', () => {
    const { operations } = setUp();
    const refused = (options: object, message: RegExp): void =>
      expect(() => openTelemetryMetrics(operations, options as OpenTelemetryMetricsOptions)).toThrow(message);
    refused({ meterProvider: {} }, /meterProvider: .* is none/);
    refused({ meter: 1 }, /there is no option "meter"/);
    expect(() => openTelemetryMetrics({} as Operations)).toThrow(/is not made by createOperations/);
  });
});
