import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { alteredStore } from '../testing/altered-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import type { Breaker } from './breaker.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { encodeEnvelope } from './envelope.ts';
import type { CacheEvent } from './events.ts';
import { memoryStore } from './memory-store.ts';
import type { Serializer } from './serializer.ts';
import type { StoredEntry } from './store.ts';

/** Caches that share one clock, one log and one store, whose methods a test can replace. */
function setUp() {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const kept = memoryStore()({ clock });
  const store = alteredStore(kept);
  const member = (options: Partial<CacheOptions> = {}) => {
    const cache = createCache({ name: 'test', clock, random, log, store, ...options });
    const events: CacheEvent[] = [];
    cache.on((event) => void events.push(event));
    const failures = () => events.flatMap((event) => (event.type === 'store-failed' ? [event] : []));
    return { cache, events, failures };
  };
  return { clock, kept, store, member };
}

const refused = new Error('connection refused');

describe('a store that fails a read', () => {
  it.each([
    ['rejects', () => Promise.reject(refused)],
    [
      'throws',
      () => {
        throw refused;
      },
    ],
  ])('and %s counts as empty, and is reported', async (_what, getMany) => {
    const { store, member } = setUp();
    const { cache, failures } = member();
    store.getMany = getMany;
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(await cache.get('other')).toBeUndefined();
    expect(failures()).toEqual([
      { type: 'store-failed', operation: 'get', keys: ['k'], error: refused },
      { type: 'store-failed', operation: 'get', keys: ['other'], error: refused },
    ]);
  });

  it('and does not answer is given up after its deadline', async () => {
    const { clock, store, member } = setUp();
    const { cache, failures } = member({ requestTimeout: '100ms' });
    store.getMany = () => new Promise(() => {});
    const load = vi.fn(() => 'loaded');
    const read = cache.getOrSet('k', load);
    await clock.advance(99);
    expect(load).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(await read).toBe('loaded');
    expect(failures()).toMatchObject([{ error: { message: 'the store did not answer within 100 ms' } }]);
  });

  it.each([
    ['no bytes', new Uint8Array()],
    ['other bytes', Buffer.from('not an envelope at all, but long enough to be one')],
    ['a later version', Buffer.from([2, ...new Uint8Array(60)])],
  ])('and returns garbage counts as empty, and is reported: %s', async (_what, bytes) => {
    const { store, member } = setUp();
    const { cache, failures } = member();
    store.getMany = (keys) => Promise.resolve(keys.map(() => bytes));
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(failures()).toMatchObject([{ operation: 'get', keys: ['k'], error: { code: 'INVALID_ENVELOPE' } }]);
  });

  it('and returns an envelope cut short, or with a damaged payload, counts as empty', async () => {
    const { clock, store, member } = setUp();
    await member().cache.getOrSet('k', () => ({ some: 'value' }));
    await clock.advance(0);
    const whole = (await store.getMany(['k']))[0] as Uint8Array;
    for (const bytes of [whole.slice(0, -1), whole.map((byte, i) => (i === whole.length - 1 ? 0x7b : byte))]) {
      const { cache, failures } = member();
      store.getMany = (keys) => Promise.resolve(keys.map(() => bytes));
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
      expect(failures()).toMatchObject([{ error: { code: 'INVALID_ENVELOPE' } }]);
    }
  });

  it.each([
    ['too few answers', []],
    ['nothing', undefined],
  ])('and returns %s counts as empty', async (_what, answers) => {
    const { store, member } = setUp();
    store.getMany = () => Promise.resolve(answers as []);
    expect(await member().cache.getMany(['k', 'l'])).toEqual([undefined, undefined]);
  });

  it('does not harm the other keys of the same request', async () => {
    const { clock, kept, store, member } = setUp();
    await member().cache.getOrSet('good', () => 'value');
    await clock.advance(0);
    store.getMany = async (keys) =>
      (await kept.getMany(keys)).map((bytes, i) => (keys[i] === 'bad' ? new Uint8Array([9]) : bytes));
    expect(await member().cache.getMany(['bad', 'good'])).toEqual([undefined, 'value']);
  });
});

describe('an entry of another release', () => {
  const own = (id: number): Serializer => ({
    id,
    encode: (value) => Buffer.from(`${id}:${JSON.stringify(value)}`),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString().slice(`${id}:`.length)) as unknown,
  });

  it('is read, whichever of the two serializers of the package wrote it', async () => {
    for (const [writer, reader] of [
      ['json', 'msgpack'],
      ['msgpack', 'json'],
      ['json', own(16)],
    ] as const) {
      const { clock, member } = setUp();
      await member({ serializer: writer }).cache.getOrSet('k', () => ({ a: [1] }));
      await clock.advance(0);
      expect(await member({ serializer: reader }).cache.get('k')).toEqual({ a: [1] });
    }
  });

  it('is left alone where nobody here can read it, and reported with the cure', async () => {
    const { clock, member } = setUp();
    await member({ serializer: own(16) }).cache.getOrSet('k', () => 1);
    await clock.advance(0);
    const { cache, failures } = member({ serializer: own(17) });
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
    expect(failures()).toMatchObject([
      {
        error: {
          code: 'INVALID_ENVELOPE',
          message:
            'A stored value was written by serializer 16, which this cache does not have. Give every process that shares the store the same `serializer`.',
        },
      },
    ]);
  });

  it('is not served from another epoch', async () => {
    const { clock, store, member } = setUp();
    const bytes = encodeEnvelope({
      epoch: 'a'.repeat(16),
      mark: 1_000,
      labels: [],
      bornAt: clock.wall(),
      ttl: 60_000,
      grace: 0,
      serializer: 1,
      compressed: false,
      payload: Buffer.from('"old"'),
    });
    await store.set('k', bytes, 60_000);
    expect(await member().cache.getOrSet('k', () => 'new')).toBe('new');
  });
});

describe('a store that fails a write', () => {
  it.each([
    ['rejects', () => Promise.reject(refused)],
    [
      'throws',
      () => {
        throw refused;
      },
    ],
  ])('and %s costs nobody the value, and is reported', async (_what, set) => {
    const { clock, store, member } = setUp();
    const { cache, failures } = member();
    store.set = set;
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    expect(await cache.get('k')).toBe('loaded');
    await clock.advance(0);
    expect(failures()).toEqual([{ type: 'store-failed', operation: 'set', keys: ['k'], error: refused }]);
  });

  it('is not waited for', async () => {
    const { clock, store, member } = setUp();
    const { cache, failures, events } = member();
    store.set = () => new Promise(() => {});
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
    await clock.advance(250);
    expect(failures()).toMatchObject([
      { operation: 'set', error: { message: 'the store did not answer within 250 ms' } },
    ]);
    expect(events.some((event) => event.type === 'stored')).toBe(false);
  });
});

describe('a value that cannot be stored', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  it.each([
    ['a function', { done: (): number => 1 }, 'json', 'value.done is a function'],
    ['a map', new Map([['a', 1]]), 'json', 'value is a Map'],
    ['a bigint', { id: 1n }, 'json', 'BigInt'],
    ['a cycle', cycle, 'json', 'circular'],
    ['a function', { done: (): number => 1 }, 'msgpack', 'function'],
  ] as const)('is returned and kept in memory, and reported: %s by %s', async (_what, value, serializer, problem) => {
    const { clock, store, member } = setUp();
    const { cache, failures } = member({ serializer, freeze: false });
    expect(await cache.getOrSet('k', () => value)).toBe(value);
    expect(await cache.get('k')).toBe(value);
    await clock.advance(0);
    expect(failures()).toMatchObject([{ operation: 'set', keys: ['k'], error: { code: 'UNSERIALISABLE' } }]);
    expect(String(failures()[0]?.error)).toContain(problem);
    expect(await store.getMany(['k'])).toEqual([undefined]);
  });

  it('has too many tags to be an envelope, and is kept in memory all the same', async () => {
    const { clock, member } = setUp();
    const { cache, failures } = member();
    const tags = Array.from({ length: 1_025 }, (_, i) => `t${i}`);
    expect(await cache.getOrSet('k', () => 1, { tags })).toBe(1);
    expect(await cache.get('k')).toBe(1);
    await clock.advance(0);
    expect(failures()).toMatchObject([{ operation: 'set', error: { code: 'INVALID_ENVELOPE' } }]);
  });
});

describe('a store', () => {
  it('is asked once for all that is read in one turn', async () => {
    const { store, member } = setUp();
    const getMany = vi.spyOn(store, 'getMany');
    const { cache } = member();
    const user = cache.query({ name: 'user', load: (id: number) => id });
    await Promise.all([user(1), cache.getOrSet('k', () => 1), cache.getMany(['a', 'b']), user.many([[2], [3]])]);
    expect(getMany.mock.calls).toEqual([[['user:1', 'k', 'a', 'b', 'user:2', 'user:3']]]);
    await cache.get('later');
    expect(getMany).toHaveBeenCalledTimes(2);
  });

  it('is written to once for all that was loaded in one turn, where it can take many', async () => {
    const { clock, kept, store, member } = setUp();
    const setMany = vi.fn((entries: readonly StoredEntry[]) =>
      Promise.all(entries.map((it) => kept.set(it.key, it.bytes, it.ttl).then(() => undefined))),
    );
    store.setMany = setMany;
    const { cache } = member();
    const user = cache.query({ name: 'user', load: (id: number) => id, ttl: '1m', tags: () => ['t'] });
    await Promise.all([user(1), user(2), cache.getOrSet('k', () => 'x'.repeat(5_000))]);
    await clock.advance(0);
    const written = (): string[] => setMany.mock.calls.flat(2).map(({ key }) => key);
    await vi.waitFor(() => expect(written()).toEqual(['user:1', 'user:2', 'k']), { timeout: 10_000 });
    // What is compressed comes later.
    expect(setMany.mock.calls.map(([entries]) => entries.length)).toEqual([2, 1]);
    expect(setMany.mock.calls[0]?.[0][0]).toMatchObject({ ttl: 60_000, labels: { length: 3 } });
    const other = member();
    expect(await other.cache.getMany(['user:1', 'user:2'])).toEqual([1, 2]);
  });

  it('says of each of many whether it was kept', async () => {
    const { clock, store, member } = setUp();
    store.setMany = (entries) => Promise.resolve(entries.map(({ key }) => (key === 'b' ? refused : undefined)));
    const { cache, events, failures } = member();
    await Promise.all(['a', 'b', 'c'].map((key) => cache.getOrSet(key, () => 1)));
    await clock.advance(0);
    expect(failures()).toEqual([{ type: 'store-failed', operation: 'set', keys: ['b'], error: refused }]);
    const stored = events.flatMap((event) => (event.type === 'stored' ? [event.key] : []));
    expect(stored).toEqual(['a', 'c']);
    store.setMany = () => Promise.reject(refused);
    await Promise.all(['d', 'e'].map((key) => cache.getOrSet(key, () => 1)));
    await clock.advance(0);
    expect(failures().map(({ keys }) => keys)).toEqual([['b'], ['d'], ['e']]);
    store.setMany = () => new Promise(() => {});
    await cache.getOrSet('f', () => 1);
    await clock.advance(250);
    expect(failures().at(-1)).toMatchObject({
      keys: ['f'],
      error: { message: 'the store did not answer within 250 ms' },
    });
  });

  it('is told of each write with what it needs, and the event says how large it was', async () => {
    const { clock, store, member } = setUp();
    const set = vi.spyOn(store, 'set');
    const { cache, events } = member();
    await cache.getOrSet('k', () => 'x'.repeat(500), { ttl: '1m', grace: '30s' });
    await clock.advance(0);
    expect(set).toHaveBeenCalledTimes(1);
    const [name, bytes, ttl] = set.mock.calls[0] as [string, Uint8Array, number];
    expect([name, ttl]).toEqual(['k', 90_000]);
    expect(events).toContainEqual({ type: 'stored', key: 'k', bytes: bytes.length, ms: 0 });
  });

  it('holds large values compressed, small ones and those of a cache that does not want it as they are', async () => {
    const large = { text: 'tide '.repeat(1_000) };
    const sizes: number[] = [];
    for (const compression of [undefined, { above: '100kb' }, false] as const) {
      const { kept, store, member } = setUp();
      const stored = new Gate<number>();
      store.set = (name, bytes, ttl) => {
        stored.open(bytes.length);
        return kept.set(name, bytes, ttl);
      };
      const options = compression === undefined ? {} : { compression };
      await member(options).cache.getOrSet('k', () => large);
      sizes.push(await stored.promise);
      expect(await member().cache.get('k')).toEqual(large);
    }
    expect(sizes[0]).toBeLessThan(500);
    expect(sizes[1]).toBeGreaterThan(5_000);
    expect(sizes[2]).toBe(sizes[1]);
  });

  it('is written to before close() returns', async () => {
    const { clock, store, member } = setUp();
    const { cache } = member();
    const slow = new Gate();
    store.set = () => slow.promise;
    await cache.getOrSet('k', () => 1);
    const order: string[] = [];
    const closed = cache.close().then(() => order.push('closed'));
    await clock.advance(100);
    order.push('written');
    slow.open();
    await closed;
    expect(order).toEqual(['written', 'closed']);
  });

  it('may be all there is: without memory every read comes from it', async () => {
    const { clock, member } = setUp();
    const { cache, events } = member({ memory: false });
    const load = vi.fn(() => ({ a: 1 }));
    const first = await cache.getOrSet('k', load);
    await clock.advance(0);
    const second = await cache.getOrSet('k', load);
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    expect(load).toHaveBeenCalledTimes(1);
    expect(events).toContainEqual({ type: 'hit', key: 'k', from: 'store' });
    expect(cache.status().entries).toBe(0);
  });
});

describe('breaker', () => {
  it('lets each request to the store through, or refuses it at once', async () => {
    const { clock, store, member } = setUp();
    const state = { open: false, ran: 0 };
    const breaker: Breaker = {
      run: (work) => {
        if (state.open) return Promise.reject(new Error('the breaker is open'));
        state.ran++;
        return work();
      },
    };
    const { cache, failures } = member({ breaker });
    await cache.getOrSet('a', () => 1);
    await clock.advance(0);
    expect(state.ran).toBe(2); // looked for, and written
    const getMany = vi.spyOn(store, 'getMany');
    const set = vi.spyOn(store, 'set');
    state.open = true;
    expect(await cache.getOrSet('b', () => 2)).toBe(2);
    await clock.advance(0);
    expect([getMany.mock.calls, set.mock.calls]).toEqual([[], []]);
    expect(failures().map((it) => [it.operation, String(it.error)])).toEqual([
      ['get', 'Error: the breaker is open'],
      ['set', 'Error: the breaker is open'],
    ]);
  });

  it('sees failures and late answers of the store', async () => {
    const { clock, store, member } = setUp();
    const seen: string[] = [];
    const breaker: Breaker = {
      run: (work) =>
        work().catch((error: unknown) => {
          seen.push(String(error));
          throw error;
        }),
    };
    const { cache } = member({ breaker: () => breaker });
    store.getMany = () => Promise.reject(refused);
    store.set = () => new Promise(() => {});
    await cache.getOrSet('k', () => 1);
    await clock.advance(250);
    expect(seen).toEqual(['Error: connection refused', 'Error: the store did not answer within 250 ms']);
  });
});
