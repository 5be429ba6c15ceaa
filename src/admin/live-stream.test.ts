import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key, tag } from '../coherence/target.ts';
import { createOperations, type Operations } from '../operations/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { defaultTypes } from './live-event.ts';
import { LiveStream } from './live-stream.ts';

let clock: FakeClock;
let cache: Cache;
let operations: Operations;
let stream: LiveStream;
beforeEach(() => {
  clock = new FakeClock();
  cache = createCache({ name: 'shop', log: memoryLog(), clock });
  operations = createOperations(cache, { sampler: false });
  stream = new LiveStream(operations, clock, 3);
});
afterEach(async () => {
  stream.close();
  await operations.close();
  await cache.close();
});

interface Frame {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

function listen(...types: string[]) {
  const reader = stream.open(new Set(types)).getReader();
  const next = async (): Promise<Frame | string | undefined> => {
    const { done, value } = await reader.read();
    if (done) return undefined;
    const text = new TextDecoder().decode(value);
    const [, type = '', data = ''] = /^event: (.*)\ndata: (.*)\n\n$/.exec(text) ?? [];
    return type === '' ? text : { type, data: JSON.parse(data) as Frame['data'] };
  };
  return { next, leave: () => reader.cancel() };
}

it('begins with how it is, and tells it each second', async () => {
  const { next } = listen('summary', 'health');
  expect(await next()).toMatchObject({ type: 'health', data: { status: expect.any(String), reasons: [] } });
  expect(await next()).toMatchObject({ type: 'summary', data: { hits: 0, entries: 0, attached: true } });
  await cache.getOrSet('a', () => 1);
  await cache.getOrSet('a', () => 1);
  await clock.advance(1_000);
  expect(await next()).toMatchObject({ type: 'summary', data: { hits: 1, missed: 1, loads: 1, entries: 1 } });
});

it('tells who has invalidated what, and what was applied, without any value', async () => {
  const { next } = listen('invalidated', 'applied', 'load-failed', 'loaded');
  await cache.getOrSet('secret', () => 'the-cached-secret');
  expect(await next()).toEqual({ type: 'loaded', data: { at: clock.wall(), key: 'secret', ms: 0, kept: true } });
  await cache.getOrSet('x', () => Promise.reject(new RangeError('the-cached-secret'))).catch(() => {});
  expect(await next()).toMatchObject({ type: 'load-failed', data: { key: 'x', error: 'RangeError' } });
  await cache.invalidate([key('user', 42), tag('org:7')], { cause: { event: 'changed' } });
  expect(await next()).toMatchObject({
    type: 'applied',
    data: { record: { kind: 'invalidate', targets: ['key user:42', 'tag org:7'], cause: { event: 'changed' } } },
  });
  expect(await next()).toMatchObject({
    type: 'invalidated',
    data: {
      targets: ['key user:42', 'tag org:7'],
      more: 0,
      receipt: { status: 'applied' },
      cause: { event: 'changed' },
    },
  });
});

it('listens once for all, and to nothing while nobody is there', async () => {
  const before = clock.timers;
  const [one, other] = [listen('applied'), listen('applied')];
  expect([stream.clients, clock.timers]).toEqual([2, before + 1]);
  await cache.invalidate(tag('a'));
  expect([await one.next(), await other.next()]).toMatchObject([{ type: 'applied' }, { type: 'applied' }]);
  await one.leave();
  expect(stream.clients).toBe(1);
  const last = clock.timers;
  await other.leave();
  expect([stream.clients, clock.timers]).toEqual([0, last - 1]);
});

it('has places for so many, and gives those of who left to others', async () => {
  const clients = [listen('applied'), listen('applied'), listen('applied')];
  expect(() => listen('applied')).toThrow(expect.objectContaining({ status: 503, code: 'UNAVAILABLE' }));
  await clients[0]?.leave();
  expect(() => listen('applied')).not.toThrow();
});

it('tells of health when it changes', async () => {
  const { next } = listen('health');
  expect(await next()).toMatchObject({ data: { status: 'healthy' } });
  await clock.advance(5_000); // the same
  for (let i = 0; i < 300; i++) await cache.getOrSet(`${i}`, () => i);
  await clock.advance(2_000);
  expect(await next()).toMatchObject({ type: 'health', data: { status: 'critical', reasons: [{ code: 'hit-rate' }] } });
});

it('beats while nothing happens, and gives up whoever takes nothing', async () => {
  const [well, hung] = [listen('applied'), listen('summary')];
  await clock.advance(15_000);
  expect(await well.next()).toBe(':\n\n');
  for (let i = 0; i < 4; i++) {
    await clock.advance(15_000);
    await well.next();
  }
  expect(stream.clients).toBe(1);
  expect(await hung.next()).toBe(undefined);
});

it('ends with everybody told so', async () => {
  const { next } = listen('applied');
  const waiting = next();
  stream.close();
  expect(await waiting).toBe(undefined);
  expect(() => listen('applied')).toThrow(expect.objectContaining({ status: 503, code: 'CLOSED' }));
});

it('leaves out by default what comes with every read', () => {
  expect(defaultTypes).toContain('applied');
  for (const type of ['hit', 'read', 'miss', 'loaded', 'stored']) expect(defaultTypes).not.toContain(type);
});
