import { describe, expect, it, vi } from 'vitest';
import { keyLabel } from '../coherence/label.ts';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

interface Member {
  readonly cache: Cache;
  readonly events: CacheEvent[];
}

/** Caches that share one clock, one log and, where asked for, one store. */
function setUp() {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const store = memoryStore()({ clock });
  const member = (options: Partial<CacheOptions> = {}): Member => {
    const cache = createCache({ name: 'test', clock, random, log, ...options });
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    return { cache, events };
  };
  return { clock, log, store, member };
}

const reasons = (events: readonly CacheEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'miss' ? [event.reason] : []));

describe('a hit', () => {
  it('comes from memory, loads nothing, and says where it came from', async () => {
    const { clock, member } = setUp();
    const { cache, events } = member();
    const load = vi.fn((id: number) => ({ id }));
    const user = cache.query({ name: 'user', load });
    const first = await user.read(42);
    await clock.advance(1_500);
    const second = await user.read(42);
    expect(load).toHaveBeenCalledTimes(1);
    expect(first).toEqual({ value: { id: 42 }, from: 'loader', stale: false, mark: cache.mark(), age: 0 });
    expect(second).toEqual({ value: { id: 42 }, from: 'memory', stale: false, mark: cache.mark(), age: 1_500 });
    expect(second.value).toBe(first.value);
    expect(events.filter((event) => event.type === 'hit')).toEqual([
      { type: 'hit', key: 'user:42', query: 'user', from: 'memory' },
    ]);
  });

  it('is found under every way to write the key', async () => {
    const { cache } = setUp().member();
    await cache.getOrSet('user:42', () => 'first');
    expect(await cache.getOrSet(['user', 42], () => 'second')).toBe('first');
    expect(await cache.getOrSet(['user', '42'], () => 'second')).toBe('first');
    await cache.getOrSet(['a:b', 'c\\d'], () => 'escaped');
    expect(await cache.getOrSet('a\\:b:c\\\\d', () => 'other')).toBe('escaped');
    expect(await cache.getOrSet('a:b:c\\\\d', () => 'other')).toBe('other');
  });

  // "Two round trips on every hit for tags."
  it('asks neither the store nor the log, whatever its tags', async () => {
    const { log, member, store } = setUp();
    const { cache } = member({ store });
    const user = cache.query({ name: 'user', load: (id: number) => id, tags: (id) => ['a', 'b', 'c', 'd', `u:${id}`] });
    await user(1);
    const spies = [
      vi.spyOn(store, 'getMany'),
      vi.spyOn(log, 'check'),
      vi.spyOn(log, 'read'),
      vi.spyOn(log, 'snapshot'),
    ];
    expect(await user(1)).toBe(1);
    expect((await user.read(1)).from).toBe('memory');
    expect(await cache.getOrSet('user:1', () => 2, { tags: ['a', 'u:1'] })).toBe(1);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  // "Falsy values counted as misses."
  it.each([[0], [''], [false], [null], [Number.NaN]])('may be the falsy value %j', async (value) => {
    const { member, store } = setUp();
    const { cache } = member({ store, serializer: 'msgpack' });
    const load = vi.fn(() => value);
    await cache.getOrSet('k', load);
    expect(await cache.getOrSet('k', load)).toBe(value);
    expect(await cache.getOrSet(['k'], load)).toBe(value);
    expect(await cache.get('k')).toBe(value);
    expect(await cache.has('k')).toBe(true);
    const other = member({ store, serializer: 'msgpack' });
    expect(await other.cache.getOrSet('k', load)).toBe(value);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('is never undefined: that is returned and not kept', async () => {
    const { member, store } = setUp();
    const { cache, events } = member({ store });
    const load = vi.fn(() => undefined);
    expect(await cache.getOrSet('k', load)).toBeUndefined();
    expect(await cache.getOrSet('k', load)).toBeUndefined();
    expect(load).toHaveBeenCalledTimes(2);
    expect(await cache.has('k')).toBe(false);
    expect(events).toContainEqual({ type: 'loaded', key: 'k', ms: 0, kept: false });
    expect(await store.getMany(['k'])).toEqual([undefined]);
  });
});

describe('a miss says why', () => {
  it('absent', async () => {
    const { cache, events } = setUp().member();
    await cache.getOrSet('k', () => 1);
    expect(events).toContainEqual({ type: 'miss', key: 'k', reason: 'absent' });
  });

  it('expired, exactly when the ttl has passed', async () => {
    const { clock, member } = setUp();
    const { cache, events } = member();
    await cache.getOrSet('k', () => 1, { ttl: '1s' });
    await clock.advance(999);
    expect(await cache.getOrSet('k', () => 2)).toBe(1);
    await clock.advance(1);
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
    expect(reasons(events)).toEqual(['absent', 'expired']);
  });

  it.each([
    ['label', key('a', 'b')],
    ['label', key('a')],
    ['label', tag('t')],
    ['ban', pattern('a:*')],
    ['floor', everything()],
  ] as const)('%s', async (reason, target) => {
    const { cache, events } = setUp().member();
    const read = () => cache.getOrSet(['a', 'b'], () => 1, { tags: ['t'] });
    await read();
    await cache.invalidate(target);
    await read();
    await read();
    expect(reasons(events)).toEqual(['absent', reason]);
  });

  it.each([
    ['a key beside', key('a', 'c')],
    ['a key below', key('a', 'b', 'c')],
    ['a key that begins alike', key('a', 'bb')],
    ['another tag', tag('tt')],
    ['a tag named like the key', tag('a')],
    ['a key named like the tag', key('t')],
    ['a pattern of others', pattern('a:?c')],
  ])('and there is none for %s', async (_what, target) => {
    const { cache, events } = setUp().member();
    const read = () => cache.getOrSet(['a', 'b'], () => 1, { tags: ['t'] });
    await read();
    await cache.invalidate(target);
    await read();
    expect(reasons(events)).toEqual(['absent']);
  });

  it('announcement, until it is closed', async () => {
    const { log, member } = setUp();
    const { cache, events } = member();
    const load = vi.fn(() => 1);
    const draft = { origin: 'other', time: 0, patterns: [] };
    await cache.getOrSet('k', load);
    await log.append([{ ...draft, kind: 'announce', id: '1'.repeat(32), labels: [keyLabel('k')] }]);
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(load).toHaveBeenCalledTimes(3);
    expect(events.flatMap((event) => (event.type === 'loaded' ? [event.kept] : []))).toEqual([true, false, false]);
    await log.append([
      { ...draft, kind: 'close', id: '2'.repeat(32), closes: '1'.repeat(32), labels: [keyLabel('k')] },
    ]);
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(load).toHaveBeenCalledTimes(4);
    expect(reasons(events)).toEqual(['absent', 'announcement', 'announcement', 'label']);
  });

  it('epoch, detached and queued, on a node that follows a server', async () => {
    const { clock, log, member } = setUp();
    const link = new FaultyLog(log);
    const { cache, events } = member({ log: link });
    const read = () => cache.getOrSet('k', () => 1);
    await cache.ready();
    await read();
    log.beginEpoch();
    await clock.advance(0);
    await read(); // epoch
    link.cut('follow');
    await clock.advance(0);
    await read(); // detached
    link.cut('append');
    const receipt = cache.invalidate(key('other'));
    await clock.advance(300);
    expect((await receipt).status).toBe('queued');
    link.mend('follow');
    await clock.advance(3_000);
    await read(); // what is queued keeps the node detached
    expect(reasons(events)).toEqual(['absent', 'epoch', 'detached', 'detached']);
    link.mend('append');
    await clock.advance(3_000);
    await read();
    expect(reasons(events)).toHaveLength(4);
  });

  it('token, where the value is there but not as new as asked for', async () => {
    const { log, member } = setUp();
    const { cache, events } = member();
    const user = cache.query({ name: 'user', load: () => 1 });
    await user();
    const elsewhere = `1.${'0'.repeat(16)}.1`;
    await user.with({ atLeast: elsewhere })();
    expect(reasons(events)).toEqual(['absent', 'token']);
    expect((await log.snapshot()).epoch).not.toBe('0'.repeat(16));
  });
});

// "A tag's time is never read again once known."
describe('a tag', () => {
  it('that was invalidated before covers what was loaded since, each time anew', async () => {
    const { member } = setUp();
    const a = member().cache;
    const b = member().cache;
    for (const value of ['first', 'second', 'third']) {
      expect(await b.getOrSet('k', () => value, { tags: ['t'] })).toBe(value);
      await a.invalidate(tag('t'));
    }
    expect(await b.get('k')).toBeUndefined();
  });
});

// "Long ban list slows every read": the oldest leave it, and the floor is raised to them.
describe('a pattern', () => {
  it('that has left the list still covers what it covered', async () => {
    const { log, member } = setUp();
    const { cache, events } = member();
    await cache.getOrSet('a:1', () => 'old');
    await cache.invalidate(pattern('a:*'));
    const draft = { kind: 'invalidate', origin: 'other', time: 0, labels: [], id: '1'.repeat(32) } as const;
    await log.append(Array.from({ length: 1_000 }, (_, i) => ({ ...draft, patterns: [`other:${i}:*`] })));
    await cache.invalidate(key('unrelated'));
    const { bans } = await log.check([]);
    expect(bans.some((ban) => ban.pattern === 'a:*')).toBe(false);
    expect(await cache.getOrSet('a:1', () => 'new')).toBe('new');
    expect(reasons(events)).toEqual(['absent', 'floor']);
  });
});

// "Clocks of machines compared: wrong by 15 minutes."
describe('processes whose clocks differ', () => {
  it.each([15 * 60_000, -15 * 60_000])('by %i ms serve nothing that is covered', async (skew) => {
    const { clock, member, store } = setUp();
    const other = new FakeClock(clock.wall() + skew);
    const a = member({ store }).cache;
    const b = member({ store, clock: other }).cache;
    for (const [writer, reader] of [
      [a, b],
      [b, a],
    ] as const) {
      await writer.getOrSet('k', () => 'old', { ttl: '1h' });
      await clock.advance(0);
      expect(await reader.getOrSet('k', () => 'unused', { ttl: '1h' })).toBe('old');
      await writer.invalidate(key('k'));
      expect(await reader.getOrSet('k', () => 'new', { ttl: '1h' })).toBe('new');
      await reader.invalidate(key('k'));
    }
  });
});

describe('promotion from the store', () => {
  it('keeps the mark and the age of the load', async () => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store });
    const query = (cache: Cache) => cache.query({ name: 'user', load: (id: number) => ({ id }) });
    const qa = query(a);
    const qb = query(b.cache);
    const loaded = await qa.read(1);
    await clock.advance(1_000);
    await a.invalidate(key('unrelated'));
    const stored = await qb.read(1);
    expect(stored).toEqual({ value: { id: 1 }, from: 'store', stale: false, mark: loaded.mark, age: 1_000 });
    await a.invalidate(key('unrelated'));
    expect(await qb.read(1)).toEqual({ ...stored, from: 'memory' });
    expect(b.cache.mark()).not.toBe(loaded.mark);
  });

  it('keeps the time of expiry', async () => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store }).cache;
    await a.getOrSet('k', () => 1, { ttl: '10s' });
    await clock.advance(6_000);
    expect(await b.getOrSet('k', () => 2, { ttl: '10s' })).toBe(1);
    await clock.advance(4_000);
    expect(await b.getOrSet('k', () => 3, { ttl: '10s' })).toBe(3);
  });

  it('keeps the time of expiry that its own process asks for, where that is earlier', async () => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store });
    await a.getOrSet('k', () => 1, { ttl: '10s' });
    await clock.advance(1_000);
    const read = () => b.cache.getOrSet('k', () => 2, { ttl: { memory: '3s', store: '10s' } });
    await read();
    await clock.advance(1_999);
    await read();
    await clock.advance(1);
    expect(await read()).toBe(1);
    expect(b.events.flatMap((event) => (event.type === 'hit' ? [event.from] : []))).toEqual([
      'store',
      'memory',
      'store',
    ]);
  });

  it('does not make a covered entry good again, in memory or in the store', async () => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store });
    await a.getOrSet('k', () => 'old', { tags: ['t'] });
    await clock.advance(0);
    await b.cache.getOrSet('k', () => 'old', { tags: ['t'] });
    await a.invalidate(tag('t'));
    expect(await b.cache.getOrSet('k', () => 'new', { tags: ['t'] })).toBe('new');
    const c = member({ store, memory: false }).cache;
    expect(await c.getOrSet('k', () => 'loaded', { tags: ['t'] })).toBe('new');
  });

  it('leaves a covered entry of the store where it is: the next load replaces it', async () => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    await a.getOrSet('k', () => 'old');
    await clock.advance(0);
    await a.invalidate(key('k'));
    expect(await store.getMany(['k'])).not.toEqual([undefined]);
    expect(await member({ store }).cache.getOrSet('k', () => 'new')).toBe('new');
  });
});

describe('labels of the reader and of the entry', () => {
  it.each([
    ['those that the entry was stored with', 'writer'],
    ['those that only the reader knows', 'reader'],
  ])('both count in the store: %s', async (_what, name) => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store, memory: false }).cache;
    const read = (value: string) => b.getOrSet('k', () => value, { tags: ['reader'] });
    await a.getOrSet('k', () => 'old', { tags: ['writer'] });
    await clock.advance(0);
    expect(await read('unused')).toBe('old');
    await a.invalidate(tag(name));
    expect(await read('new')).toBe('new');
  });

  it.each(['writer', 'reader'])('both stay with a promoted entry: %s', async (name) => {
    const { clock, member, store } = setUp();
    const a = member({ store }).cache;
    const b = member({ store });
    await a.getOrSet('k', () => 'old', { tags: ['writer'] });
    await clock.advance(0);
    await b.cache.getOrSet('k', () => 'unused', { tags: ['reader'] });
    await a.invalidate(tag(name));
    await b.cache.getOrSet('k', () => 'new');
    expect(reasons(b.events)).toEqual(['absent', 'label']);
  });

  it('those that a second call site brings are kept with the entry in memory', async () => {
    const { cache } = setUp().member();
    await cache.getOrSet('k', () => 'old', { tags: ['one'] });
    expect(await cache.getOrSet('k', () => 'unused', { tags: ['two'] })).toBe('old');
    await cache.invalidate(tag('two'));
    expect(await cache.getOrSet('k', () => 'new', { tags: ['one'] })).toBe('new');
  });

  it('are checked against what was invalidated before the reader came', async () => {
    const { cache } = setUp().member();
    await cache.getOrSet('k', () => 'old', { tags: ['one'] });
    await cache.invalidate(tag('two'));
    expect(await cache.getOrSet('k', () => 'unused', { tags: ['one'] })).toBe('old'); // found uncovered, for its own labels
    expect(await cache.getOrSet('k', () => 'new', { tags: ['two'] })).toBe('new');
  });

  it('include those of a query that reads what getOrSet has kept', async () => {
    const { cache } = setUp().member();
    const user = cache.query({ name: 'user', load: (_id: number) => 'query', tags: (id) => [`u:${id}`] });
    await cache.getOrSet(['user', 1], () => 'plain');
    expect(await user(1)).toBe('plain');
    await cache.invalidate(tag('u:1'));
    expect(await user(1)).toBe('query');
    await cache.invalidate(tag('u:1'));
    expect(user.peek(1)).toBeUndefined();
  });
});

describe('a late fill', () => {
  /** A store whose writes wait for their turn. */
  function slowStore(store: Store): { store: Store; writes: (() => Promise<void>)[] } {
    const writes: (() => Promise<void>)[] = [];
    const set = (name: string, bytes: Uint8Array, ttl: number): Promise<void> => {
      const done = new Gate();
      writes.push(async () => {
        await store.set(name, bytes, ttl);
        done.open();
      });
      return done.promise;
    };
    return { store: alteredStore(store, { set }), writes };
  }

  it('does not replace what was loaded later in memory', async () => {
    const { clock, member } = setUp();
    const { cache } = member();
    const slow = new Gate<string>();
    const first = cache.getOrSet('k', () => slow.promise);
    await clock.advance(0);
    await cache.invalidate(key('k'));
    expect(await cache.getOrSet('k', () => 'new')).toBe('new');
    slow.open('old');
    expect(await first).toBe('old'); // it began before the write
    expect(await cache.getOrSet('k', () => 'unused')).toBe('new');
  });

  it('that overwrites a newer entry in the store is a miss, not a lie', async () => {
    const { clock, member, store } = setUp();
    const slow = slowStore(store);
    const a = member({ store: slow.store }).cache;
    await a.getOrSet('k', () => 'old');
    await clock.advance(0);
    await a.invalidate(key('k'));
    const b = member({ store }).cache;
    await b.getOrSet('k', () => 'new');
    await clock.advance(0);
    for (const write of slow.writes) await write();
    const c = member({ store }).cache;
    expect(await c.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(slow.writes).toHaveLength(1);
  });
});
