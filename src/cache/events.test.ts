import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { key, tag } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import { type CacheEvent, Events } from './events.ts';
import { memoryStore } from './memory-store.ts';

const EVENT: CacheEvent = { type: 'evicted', key: 'k', query: undefined };

describe('Events', () => {
  it('go to every listener, in order, until it ends its subscription', () => {
    const events = new Events(() => {});
    const heard: string[] = [];
    const endFirst = events.on(() => void heard.push('first'));
    events.on(() => void heard.push('second'));
    expect(events.heard).toBe(true);
    events.emit(EVENT);
    endFirst();
    endFirst();
    events.emit(EVENT);
    expect(heard).toEqual(['first', 'second', 'second']);
    expect(events.heard).toBe(true);
  });

  it('are heard by nobody where nobody listens', () => {
    const events = new Events(() => {});
    expect(events.heard).toBe(false);
    events.on(() => {})();
    expect(events.heard).toBe(false);
    expect(() => events.emit(EVENT)).not.toThrow();
  });

  it('reach the other listeners where one throws, or rejects', async () => {
    const failed = vi.fn();
    const events = new Events(failed);
    const heard = vi.fn();
    const thrown = new Error('thrown');
    const rejected = new Error('rejected');
    events.on(() => {
      throw thrown;
    });
    const asynchronous: (event: CacheEvent) => unknown = () => Promise.reject(rejected);
    events.on(asynchronous);
    events.on(heard);
    events.emit(EVENT);
    await promisesSettled();
    expect(heard.mock.calls).toEqual([[EVENT]]);
    expect(failed.mock.calls).toEqual([[thrown], [rejected]]);
  });
});

/** Each type of the union, so that one that is added has to be shown here. */
const TYPES: Record<CacheEvent['type'], true> = {
  attached: true,
  detached: true,
  epoch: true,
  resync: true,
  applied: true,
  sent: true,
  queued: true,
  overflowed: true,
  'options-differ': true,
  hit: true,
  read: true,
  miss: true,
  stale: true,
  joined: true,
  rejoined: true,
  refresh: true,
  loaded: true,
  'load-failed': true,
  fallback: true,
  shadow: true,
  evicted: true,
  migrated: true,
  'not-migrated': true,
  stored: true,
  'store-failed': true,
  'lease-failed': true,
  'places-failed': true,
  invalidated: true,
};

describe('a cache', () => {
  it('tells of everything that can be observed, in one closed union', async () => {
    const clock = new FakeClock();
    const random = new SeededRandom(1).next;
    const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
    const link = new FaultyLog(log);
    const store = alteredStore(memoryStore()({ clock }));
    const cache = createCache({
      name: 'test',
      clock,
      random,
      store,
      log: link,
      lease: { acquire: () => Promise.reject(new Error('no lease')) },
      places: { take: () => Promise.reject(new Error('no places')) },
      loads: { fleet: 5 },
      maxLag: '1s',
      maxQueue: 1,
      memory: { maxEntries: 3 },
    });
    const events: CacheEvent[] = [];
    const end = cache.on((event) => void events.push(event));
    await cache.ready(); // epoch, options-differ, attached

    await cache.getOrSet('a', () => 1, { ttl: '1s' }); // miss, lease-failed, places-failed, loaded, stored
    await cache.getOrSet('a', () => 1); // hit
    await clock.advance(1_000);
    await cache.getOrSet('a', () => Promise.reject(new Error('down')), { grace: '1m' }); // load-failed, stale
    await cache.query({ name: 'f', load: () => Promise.reject<number>(new Error('down')), fallback: () => 0 })(); // fallback
    await cache.getOrSet('a', () => 2, { maxStaleness: '1m' }); // refresh
    await clock.advance(0);

    const slow = new Gate<number>();
    const load = (ctx: { tag(name: string): void }) => (ctx.tag('t'), slow.promise);
    const reads = [cache.getOrSet('b', load)];
    await clock.advance(0);
    const invalidated = cache.invalidate(tag('t')); // sent, applied, invalidated
    await clock.advance(0);
    await invalidated;
    reads.push(cache.getOrSet('b', load)); // joined
    await clock.advance(0);
    slow.open(3);
    await Promise.all(reads); // rejoined

    await cache.getOrSet('b', () => 3, { mode: 'shadow' }); // shadow
    for (const name of ['c', 'd', 'e']) await cache.getOrSet(name, () => 4); // evicted
    const first = cache.query({ name: 'q', load: (id: number) => id });
    await Promise.all([first(1), first(2)]);
    await clock.advance(0);
    const migrate = { 1: (old: number) => (old === 1 ? 'one' : undefined) };
    const second = cache.query({ name: 'q', version: 2, load: (id: number) => `${id}`, migrate });
    await Promise.all([second(1), second(2)]); // migrated, not-migrated

    store.set = () => Promise.reject(new Error('no store'));
    await cache.getOrSet('f', () => 5); // store-failed

    link.cut('append', 'follow');
    await clock.advance(1); // detached
    const receipts = [cache.invalidate([key('a')], { cause: {} }), cache.invalidate([key('b')], { cause: {} })];
    await clock.advance(1_000); // queued, overflowed
    await Promise.all(receipts);
    link.mend('append', 'follow');
    await clock.advance(5_000); // resync, attached
    end();
    await cache.getOrSet('a', () => 6);

    const seen = new Set(events.map((event) => event.type));
    expect([...seen].sort((a, b) => a.localeCompare(b))).toEqual(Object.keys(TYPES).sort((a, b) => a.localeCompare(b)));
    const last = events.at(-1);
    await cache.getOrSet('g', () => 7);
    expect(events.at(-1)).toBe(last);
  });

  it('tells of one read in the order in which things happen', async () => {
    const clock = new FakeClock();
    const cache = createCache({ name: 'test', clock, store: memoryStore() });
    const types: string[] = [];
    cache.on((event) => void types.push(event.type));
    await cache.getOrSet('k', () => 1);
    await clock.advance(0);
    await cache.getOrSet('k', () => 1);
    const receipt = await cache.invalidate(key('k'));
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(types).toEqual([
      'miss',
      'loaded',
      'stored',
      'read',
      'hit',
      'applied',
      'sent',
      'invalidated',
      'miss',
      'load-failed',
    ]);
    expect(receipt.status).toBe('applied');
  });
});
