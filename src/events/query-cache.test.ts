/* oxlint-disable typescript/no-extraneous-class -- a query without parameters is an empty class */
import { describe, expect, it, vi } from 'vitest';
import { createCache, key, memoryStore, pattern, tag } from '../index.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { queryCache, type QueryMiddleware } from './query-cache.ts';
import { forQuery } from './query-map.ts';

class GetUser {
  readonly userId: number;

  constructor(userId: number) {
    this.userId = userId;
  }

  getCacheKey(): unknown[] {
    return ['user', this.userId];
  }
}

/** Says nothing about caching. */
class FindUsers {
  readonly filter: object;
  readonly page: number;

  constructor(filter: object, page: number) {
    this.filter = filter;
    this.page = page;
  }
}

/** A bus that counts what its handler is asked. */
function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const cache = createCache({ name: 'shop', clock, ...options });
  let answers = 0;
  const handle = vi.fn<(query: object) => Promise<string>>(async () => `answer ${++answers}`);
  const ask = (cached: QueryMiddleware, query: object) => cached(query, () => handle(query));
  return { clock, cache, handle, ask };
}

/** The keys that were asked for. */
function keysOf(cache: ReturnType<typeof createCache>): string[] {
  const keys: string[] = [];
  cache.on((event) => void (event.type === 'loaded' && keys.push(event.key)));
  return keys;
}

describe('a query', () => {
  it('is answered from the cache where it has getCacheKey(), and run otherwise', async () => {
    const { cache, ask, handle } = setUp();
    const cached = queryCache(cache);
    const answers = [new GetUser(42), new GetUser(42), new GetUser(43), new FindUsers({}, 1), new FindUsers({}, 1)];
    const given: string[] = [];
    for (const query of answers) given.push(await ask(cached, query));
    expect(given).toEqual(['answer 1', 'answer 1', 'answer 2', 'answer 3', 'answer 4']);
    expect(handle).toHaveBeenCalledTimes(4);
  });

  it('shares one run of its handler with all who ask meanwhile', async () => {
    const { cache, ask, handle } = setUp();
    const cached = queryCache(cache);
    expect(await Promise.all([ask(cached, new GetUser(1)), ask(cached, new GetUser(1))])).toEqual([
      'answer 1',
      'answer 1',
    ]);
    expect(handle).toHaveBeenCalledOnce();
  });

  it('fails as its handler does, and is asked again', async () => {
    const { cache, ask, handle } = setUp();
    const cached = queryCache(cache);
    const error = new Error('no such user');
    handle.mockRejectedValueOnce(error);
    await expect(ask(cached, new GetUser(1))).rejects.toBe(error);
    expect(await ask(cached, new GetUser(1))).toBe('answer 1');
    expect(handle).toHaveBeenCalledTimes(2);
  });

  it.each<[string, (at: QueryMiddleware['at']) => ReturnType<typeof key>]>([
    ['its pattern', () => pattern('query_cache:GetUser:*42*')],
    ['a pattern over all', () => pattern('query_cache:*User*:*')],
    ['its key', () => key('query_cache:GetUser:user:42')],
    ['itself', (at) => at(new GetUser(42))],
    ['its class', (at) => at(GetUser)],
    ['its tag', () => tag('user:42')],
  ])('is invalidated by %s', async (_what, target) => {
    const { cache, ask } = setUp();
    const cached = queryCache(cache, {
      queries: [forQuery(GetUser, { tags: (query) => [`user:${query.userId}`] })],
    });
    await ask(cached, new GetUser(42));
    await cache.invalidate(target((queries) => cached.at(queries)));
    expect(await ask(cached, new GetUser(42))).toBe('answer 2');
  });

  it('stays where another of its class is invalidated', async () => {
    const { cache, ask } = setUp();
    const cached = queryCache(cache);
    await ask(cached, new GetUser(42));
    await cache.invalidate(cached.at(new GetUser(43)), pattern('query_cache:GetUser:*43*'));
    expect(await ask(cached, new GetUser(42))).toBe('answer 1');
  });

  it('may say its key as a path, whose parts are parts of the key', async () => {
    const { cache, ask } = setUp();
    const keys = keysOf(cache);
    const cached = queryCache(cache, { prefix: 'reports:v1' });
    await ask(cached, { type: 'get.user', getCacheKey: () => 'org:C\\:1:user' });
    expect(keys).toEqual(['reports:v1:get.user:org:C\\:1:user']);
    await cache.invalidate(key('reports', 'v1', 'get.user', 'org', 'C:1'));
    expect(await ask(cached, { type: 'get.user', getCacheKey: () => ['org', 'C:1', 'user'] })).toBe('answer 2');
  });

  it.each<[unknown, string]>([
    [['user', undefined], 'is ["user", undefined]'],
    [undefined, 'is undefined'],
    [42, 'is 42'],
    ['', 'is empty'],
    [[() => {}], 'has no canonical JSON'],
  ])('is refused, before it runs, with the key %j', async (given, message) => {
    const { cache, ask, handle } = setUp();
    const query = { type: 'q', getCacheKey: () => given };
    await expect(ask(queryCache(cache), query)).rejects.toMatchObject({
      code: 'INVALID_KEY',
      message: expect.stringContaining(message),
    });
    expect(handle).not.toHaveBeenCalled();
  });

  it.each([undefined, null, 'GetUser', 7])('is refused that is no object: %s', async (query) => {
    const { cache, ask, handle } = setUp();
    await expect(ask(queryCache(cache), query as never)).rejects.toThrow('is not a message');
    expect(() => queryCache(cache).at(null as never)).toThrow('is not a message');
    expect(handle).not.toHaveBeenCalled();
  });

  it('is run where nothing tells it apart', async () => {
    const { cache, ask, handle } = setUp();
    const cached = queryCache(cache, { all: true, logger: { warn: () => {} } });
    for (let i = 0; i < 2; i++) await ask(cached, { userId: 1 });
    expect(handle).toHaveBeenCalledTimes(2);
  });
});

describe('settings', () => {
  it('go over those of all queries', async () => {
    const { clock, cache, ask } = setUp();
    const cached = queryCache(cache, {
      ttl: '10m',
      queries: [forQuery(FindUsers, { ttl: '1m', key: (query) => [query.page] })],
    });
    await ask(cached, new GetUser(1));
    await ask(cached, new FindUsers({ a: 1 }, 1));
    expect(await ask(cached, new FindUsers({ b: 2 }, 1))).toBe('answer 2');
    await clock.advance(60_000);
    expect(await ask(cached, new GetUser(1))).toBe('answer 1');
    expect(await ask(cached, new FindUsers({ a: 1 }, 1))).toBe('answer 3');
  });

  it('may be of types', async () => {
    const { cache } = setUp();
    const keys = keysOf(cache);
    type Q = { type: 'user.get'; id: number } | { type: 'user.find'; name: string };
    const cached = queryCache<Q>(cache, { queries: { 'user.get': { key: (query) => [query.id] }, 'user.find': {} } });
    await cached({ type: 'user.get', id: 42 }, () => 1);
    await cached({ type: 'user.find', name: 'ada' }, () => 2);
    expect(keys).toEqual(['query_cache:user.get:42', 'query_cache:user.find:name=ada']);
    await cache.invalidate(cached.at('user.get'), cached.at({ type: 'user.find', name: 'grace' }));
    expect(await cached({ type: 'user.get', id: 42 }, () => 3)).toBe(3);
    expect(await cached({ type: 'user.find', name: 'ada' }, () => 4)).toBe(2);
  });

  it('of a type count for classes whose queries have that type', async () => {
    const { cache } = setUp();
    class Get {
      readonly type = 'user.get';
      readonly id = 42;
    }
    const cached = queryCache<Get>(cache, { queries: { 'user.get': { key: (query) => [query.id] } } });
    await cached(new Get(), () => 1);
    expect(await cached(new Get(), () => 2)).toBe(1);
  });

  it('switch off a class: it is run as if there was no cache, whatever time it takes', async () => {
    const { clock, cache, ask, handle } = setUp();
    const cached = queryCache(cache, { queries: [forQuery(GetUser, { mode: 'off', timeout: 1 })] });
    handle.mockImplementation(() => new Promise((resolve) => clock.schedule(50, () => resolve('late'))));
    const reading = ask(cached, new GetUser(1));
    await clock.advance(50);
    expect(await reading).toBe('late');
    expect(handle).toHaveBeenCalledOnce();
  });

  it('switch off all but one', async () => {
    const { cache, ask } = setUp();
    const cached = queryCache(cache, {
      enabled: false,
      queries: [forQuery(FindUsers, { enabled: true })],
    });
    for (let i = 0; i < 2; i++) await ask(cached, new GetUser(1));
    await ask(cached, new FindUsers({}, 1));
    expect(await ask(cached, new FindUsers({}, 1))).toBe('answer 3');
  });

  it('opt in where the cache has optIn', async () => {
    const { cache, ask } = setUp({ optIn: true });
    const without = queryCache(cache, { prefix: 'a' });
    const cached = queryCache(cache, { prefix: 'b', enabled: true });
    for (const each of [without, cached]) for (let i = 0; i < 2; i++) await ask(each, new GetUser(1));
    expect(await ask(cached, new GetUser(1))).toBe('answer 3');
    expect(await ask(without, new GetUser(1))).toBe('answer 4');
  });

  it('switch a class to shadow: what is loaded is returned, and compared', async () => {
    const { clock, cache, ask } = setUp();
    const cached = queryCache(cache, {
      queries: [
        forQuery(GetUser, { mode: 'shadow' }),
        forQuery(FindUsers, { mode: 'shadow', equals: () => true, key: () => [] }),
      ],
    });
    for (const answer of [1, 2]) expect(await ask(cached, new GetUser(1))).toBe(`answer ${answer}`);
    for (const answer of [3, 4]) expect(await ask(cached, new FindUsers({}, 1))).toBe(`answer ${answer}`);
    await clock.advance(2_000);
    expect(cached.shadow(GetUser)).toEqual({ reads: 2, hits: 1, same: 0, changed: 0, differed: 1, unknown: 0 });
    expect(cached.shadow(FindUsers)).toMatchObject({ hits: 1, same: 1 });
  });

  it('keep two versions of an answer apart', async () => {
    const clock = new FakeClock();
    const shared = { clock, store: memoryStore()({ clock }) };
    const release = (version: number) => {
      const { cache, ask } = setUp(shared);
      const cached = queryCache(cache, { queries: [forQuery(GetUser, { version })] });
      return (user: number) => ask(cached, new GetUser(user)).then((answer) => `${version}: ${answer}`);
    };
    const [older, newer] = [release(1), release(2)];
    await older(1);
    await clock.advance(0);
    expect(await newer(1)).toBe('2: answer 1');
  });

  it.each<[object, string]>([
    [{ ttl: '5min' }, 'is not a duration'],
    [{ Prefix: 'x' }, 'Write prefix'],
    [{ prefix: '' }, 'is empty'],
    [{ all: true }, 'has no warn()'],
    [{ queries: [GetUser] }, 'is not made by forQuery()'],
    [{ queries: [forQuery(GetUser, { ttl: '5min' as '5m' })] }, 'is not a duration'],
    [{ queries: [forQuery(GetUser, { tag: [] } as object)] }, 'there is no option "tag"'],
    [{ queries: [forQuery(GetUser, { name: '' })] }, 'has no name'],
    [{ queries: [forQuery(class {}, {})] }, 'has no name'],
    [{ queries: [forQuery(GetUser), forQuery(FindUsers, { name: 'GetUser' })] }, 'Two queries are called "GetUser"'],
  ])('are refused at once: %j', (options, message) => {
    expect(() => queryCache(setUp().cache, options)).toThrow(message);
  });

  it('are refused of what is no class', () => {
    expect(() => forQuery((() => {}) as never)).toThrow('is not a class');
  });
});

describe('all', () => {
  const warned = () => vi.fn<(fields: object, message: string) => void>();

  it('caches every query, by its parameters', async () => {
    const { cache, ask } = setUp();
    const keys = keysOf(cache);
    const cached = queryCache(cache, { all: true, logger: { warn: warned() } });
    await ask(cached, new FindUsers({ b: 1, a: { c: 2 } }, 1));
    expect(await ask(cached, new FindUsers({ a: { c: 2 }, b: 1 }, 1))).toBe('answer 1');
    expect(await ask(cached, new FindUsers({ a: { c: 2 }, b: 1 }, 2))).toBe('answer 2');
    expect(await ask(cached, new FindUsers({ a: { c: 3 }, b: 1 }, 1))).toBe('answer 3');
    expect(keys[0]).toMatch(/^query_cache:FindUsers:page=1:#[\w-]{22}$/);
    await cache.invalidate(pattern('query_cache:FindUsers:page=1:*'));
    expect(await ask(cached, new FindUsers({ a: { c: 2 }, b: 1 }, 2))).toBe('answer 2');
    expect(await ask(cached, new FindUsers({ a: { c: 3 }, b: 1 }, 1))).toBe('answer 4');
  });

  it('takes a class that has no parameters for one query', async () => {
    const { cache, ask } = setUp();
    class GetAll {}
    const cached = queryCache(cache, { all: true, logger: { warn: warned() } });
    await ask(cached, new GetAll());
    expect(await ask(cached, new GetAll())).toBe('answer 1');
  });

  it('remembers a type that nobody has named once somebody has answered it', async () => {
    const { cache, ask, handle } = setUp();
    const cached = queryCache(cache, { all: true, logger: { warn: warned() } });
    const query = vi.spyOn(cache, 'query');
    handle.mockRejectedValueOnce(new Error('nobody handles that'));
    await expect(ask(cached, { type: 'x' })).rejects.toThrow('nobody handles that');
    expect(query).not.toHaveBeenCalled();
    await ask(cached, { type: 'user.get', id: 1 });
    await ask(cached, { type: 'user.get', id: 1 });
    expect(await ask(cached, { type: 'user.get', id: 1 })).toBe('answer 2');
    expect(await ask(cached, { type: 'user.get', id: 2 })).toBe('answer 3');
    expect(query).toHaveBeenCalledOnce();
  });

  /** Two users; what tells them apart cannot be seen. */
  class Private {
    readonly #userId: number;

    constructor(userId: number) {
      this.#userId = userId;
    }

    run(): string {
      return `user ${this.#userId}`;
    }
  }

  it('does not cache what it cannot tell apart, and says so once', async () => {
    const { cache } = setUp();
    const warn = warned();
    const cached = queryCache(cache, { all: true, logger: { warn } });
    for (const user of [1, 2, 1]) {
      const query = new Private(user);
      expect(await cached(query, () => query.run())).toBe(`user ${user}`);
    }
    class WithSignal {
      readonly signal = new AbortController().signal;
    }
    expect([await cached(new WithSignal(), () => 1), await cached(new WithSignal(), () => 2)]).toEqual([1, 2]);
    expect(warn.mock.calls.map(([, message]) => message)).toEqual([
      'cache_query query="Private": is not cached, since nobody can tell its answers apart',
      'cache_query query="WithSignal": is not cached, since nobody can tell its answers apart',
    ]);
  });

  it('does not mix two classes of one name', async () => {
    const { cache, ask, handle } = setUp();
    const warn = warned();
    const cached = queryCache(cache, { all: true, logger: { warn } });
    const [one, other] = [class Get {}, class Get {}];
    for (let i = 0; i < 2; i++) for (const query of [new one(), new other()]) await ask(cached, query);
    expect(handle).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenCalledOnce();
  });

  it('refuses the second of one name where it asks to be cached', async () => {
    const { cache, ask } = setUp();
    const made = (id: number) =>
      class Get {
        getCacheKey() {
          return [id];
        }
      };
    const cached = queryCache(cache);
    await ask(cached, new (made(1))());
    await expect(ask(cached, new (made(1))())).rejects.toMatchObject({ code: 'INVALID_QUERY' });
    // Nor are two middlewares over one cache to share entries.
    await expect(ask(queryCache(cache), new (made(1))())).rejects.toMatchObject({ code: 'INVALID_QUERY' });
  });
});
