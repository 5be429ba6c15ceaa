import { expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { key, pattern, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache, type Cache } from './cache.ts';
import { memoryStore } from './memory-store.ts';

function setUp(): { cache: Cache; clock: FakeClock; link: FaultyLog } {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const link = new FaultyLog(new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random }));
  const cache = createCache({ name: 'test', clock, random, log: link, store: memoryStore() });
  return { cache, clock, link };
}

const user = { name: 'user', ttl: 60_000, tags: (id: number) => [`org:${id % 10}`] };

async function filled(): Promise<ReturnType<typeof setUp>> {
  const made = setUp();
  await made.cache.ready();
  await made.cache.query({ ...user, load: (id: number) => ({ id }) })(42);
  await made.clock.advance(1_000);
  return made;
}

it('shows an entry in both tiers, with what it depends on', async () => {
  const { cache } = await filled();
  const { entries, attached, key: name } = await cache.inspect(['user', 42]);
  expect({ attached, name }).toEqual({ attached: true, name: 'user:42' });
  expect(entries.map(({ tier }) => tier)).toEqual(['memory', 'store']);
  for (const it of entries) {
    expect(it).toMatchObject({ verdict: 'fresh', version: 1, age: 1_000, ttlLeft: 59_000, value: { id: 42 } });
    expect(it.labels.map(({ name: label, covers }) => [label, covers])).toEqual([
      ['key user:42', false],
      ['key user', false],
      ['tag org:2', false],
    ]);
  }
});

it.each([
  ['a tag', tag('org:2'), 'tag org:2'],
  ['its key', key('user', 42), 'key user:42'],
  ['a key above it', key('user'), 'key user'],
])('names the label by which %s covers it, and the record', async (_, target, name) => {
  const { cache } = await filled();
  const numbers: number[] = [];
  cache.on((event) => void (event.type === 'applied' && numbers.push(event.record.number)));
  await cache.invalidate(target);
  const { entries } = await cache.inspect('user:42');
  expect(entries).toHaveLength(2);
  for (const it of entries) {
    expect(it.verdict).toBe('label');
    const covering = it.labels.filter(({ covers }) => covers);
    expect(covering).toEqual([
      { label: expect.stringMatching(/^[0-9a-f]{16}$/), name, newest: numbers[0], covers: true },
    ]);
    expect(it.number).toBeLessThan(numbers[0] as number);
  }
});

it('names the pattern that covers it', async () => {
  const { cache } = await filled();
  await cache.invalidate(pattern('us*2'));
  const { entries } = await cache.inspect('user:42');
  expect(entries[0]).toMatchObject({ verdict: 'ban', patterns: [{ pattern: 'us*2', number: expect.any(Number) }] });
});

it('says that an entry has expired, and that the node cannot prove anything', async () => {
  const { cache, clock, link } = await filled();
  await clock.advance(60_000);
  expect((await cache.inspect('user:42')).entries[0]).toMatchObject({ verdict: 'expired', ttlLeft: -1_000 });
  link.cut('follow');
  await clock.advance(10_000);
  const { attached, entries } = await cache.inspect('user:42');
  expect({ attached, verdicts: entries.map(({ verdict }) => verdict) }).toEqual({
    attached: false,
    verdicts: ['detached'],
  });
});

it('says that it waits to be sent', async () => {
  const { cache, clock, link } = await filled();
  link.cut('append');
  const receipt = cache.invalidate(key('user', 42));
  await clock.advance(1_000);
  expect((await receipt).status).toBe('queued');
  expect((await cache.inspect('user:42')).entries[0]).toMatchObject({ queued: true });
});

it('shows every version', async () => {
  const { cache, clock } = await filled();
  await cache.query({ ...user, version: 3, load: (id: number) => `${id}` })(42);
  await clock.advance(0);
  const { entries } = await cache.inspect('user:42');
  expect(entries.map(({ tier, version, value }) => [tier, version, value])).toEqual([
    ['memory', 1, { id: 42 }],
    ['memory', 3, '42'],
    ['store', 1, { id: 42 }],
    ['store', 3, '42'],
  ]);
});

it('changes nothing: neither the order of eviction nor what the tiers have', async () => {
  const cache = createCache({ name: 'test', memory: { maxEntries: 2 } });
  await cache.getOrSet('a', () => 1);
  await cache.getOrSet('b', () => 1);
  await cache.inspect('a');
  await cache.getOrSet('c', () => 1);
  expect(cache.keys()).toEqual(['b', 'c']);
  expect(await cache.inspect('d')).toMatchObject({ entries: [] });
  await cache.close();
});

it('refuses what is no key', async () => {
  const { cache } = setUp();
  expect(() => cache.inspect('')).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
});

it('lists keys at and below a prefix', async () => {
  const { cache } = await filled();
  for (const it of ['userland', 'user:7:x', 'other']) await cache.getOrSet(it, () => 1);
  expect(cache.keys('user')).toEqual(['user:42', 'user:7:x']);
  expect(cache.keys()).toHaveLength(4);
  expect(cache.keys('', { most: 1 })).toEqual(['other']);
  expect(cache.keys('', { most: 0 })).toEqual([]);
  expect(() => cache.keys('', { most: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});
