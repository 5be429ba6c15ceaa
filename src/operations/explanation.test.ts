import { afterEach, expect, it } from 'vitest';
import {
  type Cache,
  type CacheOptions,
  createCache,
  type Diagnostics,
  everything,
  key,
  memoryLog,
  memoryStore,
  pattern,
  tag,
} from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { KeyExplanation } from './explanation.ts';
import { createOperations, type OperationsOptions } from './operations.ts';

/** 14 November 2023, 22:13:20 UTC. */
const START = 1_700_000_000_000;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Stage {
  readonly clock: FakeClock;
  readonly cache: Cache;
  /** Another node of the same log. */
  readonly other: Cache;
  readonly explain: (name: string) => Promise<KeyExplanation>;
}

function stage(options: Partial<CacheOptions> = {}, watched: OperationsOptions = {}): Stage {
  const clock = new FakeClock(START);
  const log = memoryLog({ slots: options.slots ?? 1024, hashes: options.hashes ?? 3 });
  const common = { log, store: memoryStore(), clock, ...options };
  const [cache, other] = ['shop', 'shop'].map((name) => createCache({ name, ...common })) as [Cache, Cache];
  const operations = createOperations(cache, watched);
  ends.push(
    () => cache.close(),
    () => other.close(),
    () => operations.close(),
  );
  return { clock, cache, other, explain: (name) => operations.explain(name) };
}

it('says of a fresh entry that a read is answered by it', async () => {
  const { cache, clock, explain } = stage();
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'], ttl: '5m' });
  await clock.advance(60_000);
  const { sentence, entries, inspection } = await explain('user:42');
  expect(sentence).toBe('A read of user:42 is answered from memory.');
  expect(entries.map(({ tier, verdict }) => [tier, verdict])).toEqual([
    ['memory', 'fresh'],
    ['store', 'fresh'],
  ]);
  expect(entries[0]?.sentence).toBe(
    'The entry in memory was loaded at 2023-11-14 22:13:20.000 UTC and may be served: nothing that it depends on was invalidated since. Its TTL ends in 4 min.',
  );
  expect(entries[0]).not.toHaveProperty('covering');
  expect(inspection.entries).toHaveLength(2);
});

it('names who has invalidated a tag, when, and why', async () => {
  const { cache, other, clock, explain } = stage();
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'], ttl: '5m' });
  await clock.advance(3_200);
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await other.invalidate([tag('org:8'), tag('org:7')], { cause: { event: 'budget.updated', trace } });
  await clock.advance(10);
  const { sentence, entries } = await explain('user:42');
  expect(sentence).toBe('The next read of user:42 loads it: no tier has an entry that may be served.');
  const { node } = other.parts;
  expect(entries[0]).toMatchObject({
    verdict: 'label',
    sentence: `The entry in memory was loaded at 2023-11-14 22:13:20.000 UTC; tag org:7 was invalidated 3.2 s later by ${node} ('budget.updated', trace ${trace}), so it may not be served, and the next read loads it.`,
    covering: {
      ...{ kind: 'invalidate', by: 'tag org:7', at: START + 3_200, appliedAt: START + 3_200, origin: node, trace },
      ...{ event: 'budget.updated', targets: ['tag org:8', 'tag org:7'] },
    },
  });
  // The store knows the labels alone; the record says which tag that was.
  expect(entries[1]).toMatchObject({ tier: 'store', covering: { by: 'tag org:7' } });
});

it('names the record that came first to mind where several cover: the newest', async () => {
  const { cache, explain } = stage();
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'] });
  await cache.invalidate([key('user')], { cause: { event: 'first' } });
  await cache.invalidate([key('user:42')], { cause: { event: 'second' } });
  await cache.invalidate([key('unrelated')], { cause: { event: 'third' } });
  expect((await explain('user:42')).entries[0]?.covering).toMatchObject({ event: 'second', by: 'key user:42' });
});

it('tells a pattern, and everything', async () => {
  const { cache, explain, clock } = stage();
  await cache.getOrSet('user:42', () => 'Ada');
  await clock.advance(90_000);
  await cache.invalidate([pattern('user:*')]);
  const { entries } = await explain('user:42');
  const { node } = cache.parts;
  expect(entries[0]).toMatchObject({
    verdict: 'ban',
    covering: { by: 'pattern user:*' },
    sentence: `The entry in memory was loaded at 2023-11-14 22:13:20.000 UTC; pattern user:*, which matches its key, was invalidated 1.5 min later by ${node}, so it may not be served, and the next read loads it.`,
  });
  await cache.invalidate([everything()], { cause: { event: 'import' } });
  expect((await explain('user:42')).entries[0]).toMatchObject({
    verdict: 'floor',
    covering: { kind: 'everything', by: 'everything', event: 'import' },
    sentence: `The entry in memory was loaded at 2023-11-14 22:13:20.000 UTC; everything was invalidated 1.5 min later by ${node} ('import'), so it may not be served, and the next read loads it.`,
  });
});

it('says that a TTL has ended, and what grace is for', async () => {
  const { cache, other, clock, explain } = stage();
  await cache.getOrSet('user:42', () => 'Ada', { ttl: '10s', grace: '1m', tags: ['org:7'] });
  await clock.advance(12_000);
  const [memory] = (await explain('user:42')).entries;
  expect(memory).toMatchObject({
    verdict: 'expired',
    sentence:
      'The entry in memory was loaded at 2023-11-14 22:13:20.000 UTC; its TTL ended 2 s ago, so it may not be served, and the next read loads it. Its grace goes on for 58 s: it may stand in for a loader that fails.',
  });
  await other.invalidate(tag('org:7'));
  expect((await explain('user:42')).entries[0]?.sentence).toContain('tag org:7 was invalidated');
});

it('says that there is nothing', async () => {
  const { explain } = stage();
  expect(await explain('user:1')).toMatchObject({
    entries: [],
    sentence: 'Nothing is kept under user:1, in memory or in the store: the next read loads it.',
  });
});

it('tells entries of several versions apart', async () => {
  const { cache, explain } = stage();
  const shaped = cache.query({ name: 'user', load: (id: string) => id, version: 2 });
  await shaped('42');
  const { entries } = await explain('user:42');
  expect(entries[0]).toMatchObject({ version: 2, verdict: 'fresh' });
  expect(entries[0]?.sentence).toMatch(/^The entry in memory of version 2 was loaded at /);
});

it('tells an entry that looks covered from one that is, as long as it knows every record since', async () => {
  // One slot of sixteen: others share it soon.
  const { cache, explain } = stage({ slots: 16, hashes: 1 });
  await cache.getOrSet('user:42', () => 'Ada');
  for (let i = 0; i < 40; i++) await cache.invalidate(tag(`t${i}`));
  const { entries } = await explain('user:42');
  expect(entries[0]?.verdict).toBe('label');
  expect(entries[0]?.sentence).toContain('a false cover, which costs a load and no more');
  expect(entries[0]).not.toHaveProperty('covering');
});

it('says so where the record is remembered no more, and how to tell', async () => {
  const { cache, explain } = stage({}, { records: 3 });
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'] });
  await cache.invalidate(tag('org:7'));
  for (let i = 0; i < 5; i++) await cache.invalidate(tag(`other:${i}`));
  const [memory] = (await explain('user:42')).entries;
  expect(memory?.sentence).toMatch(/tag org:7 was invalidated since, .* remembered neither here nor in the log/);
  expect(memory?.sentence).toContain('shares its slots of the tide table');
});

it('asks the log for what it does not remember, and only for that', async () => {
  const asked: (number | undefined)[] = [];
  const records: { number: number }[] = [];
  const diagnostics = {
    records: async (most: number, before = Number.POSITIVE_INFINITY) => {
      asked.push(before);
      return records.filter(({ number }) => number < before).slice(0, Math.min(most, 3));
    },
  } as unknown as Diagnostics;
  const { cache, explain } = stage({ diagnostics }, { records: 2 });
  cache.on((event) => void (event.type === 'applied' && records.unshift(event.record)));
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'] });
  await explain('user:42');
  expect(asked).toEqual([]);
  await cache.invalidate([tag('org:7')], { cause: { event: 'budget.updated' } });
  await explain('user:42');
  expect(asked).toEqual([]);
  for (let i = 0; i < 7; i++) await cache.invalidate(tag(`other:${i}`));
  const [memory] = (await explain('user:42')).entries;
  expect(memory?.covering).toMatchObject({ event: 'budget.updated', appliedAt: undefined });
  expect(asked.length).toBeGreaterThan(0);
});

it('says why the log could not be asked', async () => {
  const diagnostics = { records: () => Promise.reject(new Error('no connection')) } as unknown as Diagnostics;
  const { cache, explain } = stage({ diagnostics }, { records: 0 });
  await cache.getOrSet('user:42', () => 'Ada');
  await cache.invalidate(pattern('user:*'));
  expect((await explain('user:42')).entries[0]?.sentence).toContain('the log could not be asked: no connection.');
});

it('names the strict write that withholds an entry', async () => {
  const { cache, other, explain } = stage({ strict: true });
  await cache.getOrSet('user:42', () => 'Ada', { tags: ['org:7'] });
  const write = await other.announce([tag('org:7')], { cause: { event: 'transfer' } });
  const [memory] = (await explain('user:42')).entries;
  expect(memory).toMatchObject({
    verdict: 'announcement',
    covering: { by: 'tag org:7', kind: 'announce', event: 'transfer' },
  });
  expect(memory?.sentence).toContain(`a strict write of tag org:7 by ${other.parts.node} ('transfer') is under way`);
  await write.rolledBack();
});
