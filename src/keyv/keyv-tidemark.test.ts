import { createCache as createManager } from 'cache-manager';
import { Keyv } from 'keyv';
import { afterEach, describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { type Cache, createCache, everything, key, memoryStore, pattern } from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { KeyvTidemark, type KeyvTidemarkOptions } from './keyv-tidemark.ts';

const caches: Cache[] = [];

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

/** Processes that share a log and a store, each with its Keyv and its cache manager. */
function setUp() {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const log = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const values = memoryStore()({ clock });
  const link = new FaultyLog(log);
  const node = (options: Partial<KeyvTidemarkOptions> = {}, far = false) => {
    const cache = createCache({ name: 'keyv', clock, random, log: far ? link : log, store: values });
    caches.push(cache);
    const store = new KeyvTidemark({ cache, clock, ...options });
    const keyv = new Keyv({ store });
    return { cache, store, keyv, manager: createManager({ stores: [keyv] }) };
  };
  return { clock, link, node };
}

describe('what was loaded after a miss', () => {
  it('is kept, and found by the others in the store they share', async () => {
    const { clock, node } = setUp();
    const [a, b] = [node(), node()];
    expect(await a.manager.wrap('user:1', () => 'Ada')).toBe('Ada');
    await clock.advance(0);
    expect(await b.keyv.get('user:1')).toBe('Ada');
    expect(await b.manager.wrap('user:1', () => 'never')).toBe('Ada');
  });

  it.each([
    ['its key is deleted elsewhere', ({ manager }: Node) => manager.del('user:1')],
    ['its key is deleted, with others', ({ manager }: Node) => manager.mdel(['user:0', 'user:1'])],
    ['its namespace is cleared elsewhere', ({ manager }: Node) => manager.clear()],
    ['the application names it', ({ cache, store }: Node) => cache.invalidate(store.at('user:1'))],
    ['the application names a pattern', ({ cache }: Node) => cache.invalidate(pattern('keyv:keyv:user:*'))],
    ['the application names everything', ({ cache }: Node) => cache.invalidate(everything())],
    ['somebody writes it elsewhere', ({ keyv }: Node) => keyv.set('user:1', 'new')],
  ])('is not kept where %s before it is set', async (_what, change) => {
    const { clock, node } = setUp();
    const [a, b] = [node(), node()];
    const slow = new Gate<string>();
    const wrapped = a.manager.wrap('user:1', () => slow.promise);
    await clock.advance(0);
    await change(b);
    slow.open('old');
    expect(await wrapped).toBe('old'); // it was asked for before
    await clock.advance(0);
    for (const { keyv } of [a, b, node()]) expect(await keyv.get('user:1')).not.toBe('old');
    expect(await a.manager.wrap('user:1', () => 'new')).toBe('new');
    expect(await a.keyv.get('user:1')).toBe('new');
  });

  it('is not kept in the place of what a later request has loaded', async () => {
    const { clock, node } = setUp();
    const { keyv, cache, store } = node();
    // As an interceptor does it: each request asks, loads and sets by itself.
    const request = async (load: () => Promise<string>): Promise<string> => {
      const found = await keyv.get<string>('/users/1');
      if (found !== undefined) return found;
      const value = await load();
      await keyv.set('/users/1', value);
      return value;
    };
    const [first, second] = [new Gate<string>(), new Gate<string>()];
    const requests = [request(() => first.promise)];
    await clock.advance(0);
    await cache.invalidate(store.at('/users/1'));
    requests.push(request(() => second.promise));
    await clock.advance(0);
    first.open('old');
    second.open('new');
    expect(await Promise.all(requests)).toEqual(['old', 'new']);
    expect(await keyv.get('/users/1')).not.toBe('old');
    expect(await request(async () => 'newer')).toBe('newer');
    expect(await request(async () => 'never')).toBe('newer');
  });

  it('tells whoever sets it that it is not kept', async () => {
    const { node } = setUp();
    const { keyv } = node();
    await keyv.get('k');
    await keyv.delete('k');
    expect(await keyv.set('k', 'old')).toBe(false);
    expect(await keyv.set('k', 'written')).toBe(true);
    expect(await keyv.get('k')).toBe('written');
  });

  it('is a write once its load has taken longer than it may', async () => {
    const { clock, node } = setUp();
    const { keyv } = node({ loadTime: '5s' });
    await keyv.get('k');
    await keyv.delete('k');
    await clock.advance(5_000);
    expect(await keyv.set('k', 'who knows')).toBe(true);
  });
});

type Node = ReturnType<ReturnType<typeof setUp>['node']>;

describe('a write', () => {
  it('is known everywhere, also where another value is in memory', async () => {
    const { clock, node } = setUp();
    const [a, b] = [node(), node()];
    await a.keyv.set('k', 1);
    await clock.advance(0);
    expect([await a.keyv.get('k'), await b.keyv.get('k')]).toEqual([1, 1]);
    await b.keyv.set('k', 2);
    await clock.advance(0);
    expect([await a.keyv.get('k'), await b.keyv.get('k')]).toEqual([2, 2]);
  });

  it('is every set, where that was asked for', async () => {
    const { node } = setUp();
    const { keyv } = node({ fills: false });
    await keyv.get('k');
    await keyv.delete('k');
    expect(await keyv.set('k', 'new')).toBe(true);
    expect(await keyv.get('k')).toBe('new');
  });

  it('that the log does not take is not kept, and covers all the same', async () => {
    const { clock, link, node } = setUp();
    const { keyv, cache } = node({}, true);
    await cache.ready();
    await keyv.set('k', 1);
    link.cut('append', 'follow');
    const setting = keyv.set('k', 2);
    await clock.advance(10_000);
    expect(await setting).toBe(false);
    expect(await keyv.get('k')).toBeUndefined();
    link.mend('append', 'follow');
    await clock.advance(10_000);
    expect(await keyv.get('k')).toBeUndefined();
  });
});

describe('keys', () => {
  it('are one segment below their namespace: to delete one deletes no other', async () => {
    const { cache, store, keyv } = setUp().node();
    await keyv.set('user:1', 'Ada');
    await keyv.set('user:1:posts', 3);
    expect(store.at('user:1')).toEqual(key(['keyv', 'keyv', 'user:1']));
    await keyv.delete('user:1');
    expect(await keyv.get('user:1:posts')).toBe(3);
    await cache.invalidate(store.at());
    expect(await keyv.get('user:1:posts')).toBeUndefined();
  });

  it('of one namespace, or without any, are not cleared with another', async () => {
    const { cache } = setUp().node();
    const [one, two, none] = [
      new Keyv({ store: new KeyvTidemark({ cache }), namespace: 'a' }),
      new Keyv({ store: new KeyvTidemark({ cache }), namespace: 'a:b' }),
      new Keyv({ store: new KeyvTidemark({ cache }), namespace: '' }),
    ] as const;
    for (const keyv of [one, two, none]) await keyv.set('k', 'v');
    await cache.getOrSet('keyv', () => 'not of a Keyv');
    await one.clear();
    expect(await Promise.all([one, two, none].map((it) => it.get('k')))).toEqual([undefined, 'v', 'v']);
    await none.clear();
    expect(await Promise.all([two, none].map((it) => it.get('k')))).toEqual(['v', undefined]);
  });

  it('may be as long as they like, and hold what they like', async () => {
    const { store, keyv } = setUp().node();
    const names = [
      '',
      ':',
      '\\',
      `/users?${'x'.repeat(5_000)}`,
      `/users?${'x'.repeat(5_001)}`,
      ':'.repeat(900),
      'é'.repeat(399),
    ];
    for (const name of names) await keyv.set(name, `of ${name}`);
    for (const name of names) expect(await keyv.get(name)).toBe(`of ${name}`);
    await Promise.all(names.map(async (name) => expect(store.at(name)).toBeDefined()));
  });
});

describe('options', () => {
  it.each([
    ['no cache', { cache: undefined as never }],
    ['a Keyv as the cache', { cache: new Keyv() as never }],
    ['a name that is none', { ttl: 5 } as never],
    ['a time that is none', { loadTime: 'soon' as never }],
  ])('refuse %s', (_what, options) => {
    const { cache } = setUp().node();
    expect(() => new KeyvTidemark({ cache, ...options })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
