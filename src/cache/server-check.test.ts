import { describe, expect, it, vi } from 'vitest';
import { keyLabel, type Label, tagLabel } from '../coherence/label.ts';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import type { ServerAnswer } from '../coherence/server-check.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag, type Target } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';

/**
 * A writer that is always up to date, and a node whose follower has lost its connection while the server still answers
 * its questions.
 */
async function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const link = new FaultyLog(log);
  const store = memoryStore()({ clock });
  const writer = createCache({ name: 'test', clock, random, log, store });
  const cache = createCache({ name: 'test', clock, random, log: link, check: link, store, ...options });
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  await cache.ready();
  await clock.advance(0);
  link.cut('follow');
  await clock.advance(1);
  const read = () => cache.getOrSet(['a', 'b'], () => 'loaded', { tags: ['mine'] });
  const fill = async (): Promise<void> => {
    await writer.getOrSet(['a', 'b'], () => 'stored', { tags: ['theirs'] });
    await clock.advance(0);
  };
  return { clock, log, link, store, writer, cache, events, read, fill };
}

describe('a node that has lost its follower, while the server answers', () => {
  it('serves from the store what the server says is not covered', async () => {
    const { read, fill, link } = await setUp();
    await fill();
    expect(await read()).toBe('stored');
    expect(link.asked.check).toBe(1);
  });

  it('asks each time: nothing that it holds in memory is proven', async () => {
    const { read, fill, link, events } = await setUp();
    await fill();
    await read();
    expect(await read()).toBe('stored');
    expect(link.asked.check).toBe(2);
    expect(events.flatMap((it) => (it.type === 'miss' ? [it.reason] : []))).toEqual(['absent', 'detached']);
  });

  it.each<[string, Target]>([
    ['its key', key('a', 'b')],
    ['a key above', key('a')],
    ['a tag that it was stored with', tag('theirs')],
    ['a tag that only this reader knows', tag('mine')],
    ['a pattern', pattern('a:*')],
    ['everything', everything()],
  ])('loads what a record covers that it has not heard of: %s', async (_what, target) => {
    const { read, fill, writer } = await setUp();
    await fill();
    await writer.invalidate(target);
    expect(await read()).toBe('loaded');
  });

  it('shares one load where the store is of no use, also while it waits for the budget', async () => {
    const { clock, cache, fill, writer } = await setUp({ loads: { concurrency: 1 } });
    await fill();
    await writer.invalidate(key('a'));
    const busy = new Gate<string>();
    void cache.getOrSet('other', () => busy.promise);
    const load = vi.fn(() => 'loaded');
    const reads: Promise<string>[] = [];
    for (let i = 0; i < 20; i++) {
      reads.push(cache.getOrSet(['a', 'b'], load));
      await clock.advance(1);
    }
    busy.open('done');
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['loaded']));
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('loads what is announced', async () => {
    const { read, fill, log } = await setUp();
    await fill();
    const draft = { id: '1'.repeat(32), origin: 'other', time: 0, labels: [tagLabel('theirs')], patterns: [] };
    await log.append([{ ...draft, kind: 'announce' }]);
    expect(await read()).toBe('loaded');
  });

  it('asks after the envelope was read, for all labels of both', async () => {
    const { read, fill, link, store } = await setUp();
    await fill();
    const order: string[] = [];
    const getMany = store.getMany.bind(store);
    vi.spyOn(store, 'getMany').mockImplementation(async (keys) => {
      const found = await getMany(keys);
      order.push('envelope');
      return found;
    });
    const check = link.check.bind(link);
    const asked = vi.spyOn(link, 'check').mockImplementation((labels) => {
      order.push('check');
      return check(labels);
    });
    await read();
    expect(order).toEqual(['envelope', 'check']);
    const [labels] = asked.mock.calls[0] as [readonly Label[]];
    const plain = (label: Label) => [label.high, label.low];
    const expected = [keyLabel('a:b'), keyLabel('a'), tagLabel('theirs'), tagLabel('mine')];
    expect(labels.map(plain)).toEqual(expect.arrayContaining(expected.map(plain)));
    expect(labels).toHaveLength(4);
  });

  it.each<[string, (answer: ServerAnswer) => ServerAnswer]>([
    ['is not proven', (answer) => ({ ...answer, provenAt: undefined })],
    ['is of another epoch', (answer) => ({ ...answer, epoch: 'a'.repeat(16) })],
    ['has its floor above the mark', (answer) => ({ ...answer, floor: answer.head + 1 })],
    ['has no floor', (answer) => ({ ...answer, floor: undefined as unknown as number })],
    ['has fewer positions than were asked for', (answer) => ({ ...answer, newest: answer.newest.slice(1) })],
    ['has a position that is none', (answer) => ({ ...answer, newest: [Number.NaN, ...answer.newest.slice(1)] })],
  ])('loads where the answer %s', async (_what, change) => {
    const { read, fill, link } = await setUp();
    await fill();
    const check = link.check.bind(link);
    vi.spyOn(link, 'check').mockImplementation(async (labels) => change(await check(labels)));
    expect(await read()).toBe('loaded');
  });

  it('loads where there is no answer, and says why', async () => {
    const { clock, read, fill, link, events } = await setUp();
    await fill();
    link.cut('check');
    expect(await read()).toBe('loaded');
    link.stall('check');
    const late = read();
    await clock.advance(250);
    expect(await late).toBe('loaded');
    expect(events.flatMap((it) => (it.type === 'store-failed' ? [String(it.error)] : []))).toEqual([
      'Error: the connection is cut (check)',
      'Error: the server check did not answer in time',
    ]);
  });

  it('loads, without asking, while something of its own is queued', async () => {
    const { clock, cache, read, fill, link } = await setUp();
    await fill();
    link.cut('append');
    const receipt = cache.invalidate(key('other'));
    await clock.advance(250);
    expect((await receipt).status).toBe('queued');
    expect(await read()).toBe('loaded');
    expect(link.asked.check).toBe(0);
  });

  it('counts what it has written itself, though the answer does not show it', async () => {
    const { clock, cache, log, read, fill, link } = await setUp();
    await fill();
    const before = await log.check([]);
    const receipt = cache.invalidate(key('a'));
    await clock.advance(3_000);
    expect((await receipt).status).toBe('appended');
    const old = (labels: readonly Label[]) => Promise.resolve({ ...before, newest: labels.map(() => 0) });
    vi.spyOn(link, 'check').mockImplementation(old);
    expect(await read()).toBe('loaded');
  });

  it('loads where it has no server check', async () => {
    const { clock, log, writer, fill } = await setUp();
    await fill();
    const link = new FaultyLog(log);
    link.cut('follow');
    const store = memoryStore()({ clock });
    const cache = createCache({ name: 'test', clock, log: link, store });
    expect(await cache.getOrSet(['a', 'b'], () => 'loaded')).toBe('loaded');
    await writer.close();
  });

  it('keeps the mark of what the server has vouched for: attached again, it judges for itself', async () => {
    const { clock, cache, read, fill, link, writer } = await setUp();
    await fill();
    await read();
    await writer.invalidate(tag('theirs'));
    link.mend('follow');
    await clock.advance(2_000);
    expect(cache.status().attached).toBe(true);
    expect(await cache.get(['a', 'b'])).toBeUndefined();
  });

  it('does not count it as proven for those who tolerate what was valid a while ago', async () => {
    const { clock, cache, read, fill, writer } = await setUp();
    await fill();
    await read();
    await writer.invalidate(tag('theirs'));
    await clock.advance(1_000);
    const tolerant = { maxStaleness: '1h', tags: ['mine'] } as const;
    expect(await cache.getOrSet(['a', 'b'], () => 'loaded', tolerant)).toBe('loaded');
  });
});
