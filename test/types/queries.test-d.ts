/* oxlint-disable vitest/expect-expect, typescript/no-unsafe-return -- a line that must not compile is an assertion, made by the compiler */
import { createCache, forQuery, queryCache, type ShadowCounts, type Target } from 'tidemark';
import { describe, expectTypeOf, it } from 'vitest';

const cache = createCache({ name: 'shop' });

class GetUser {
  readonly userId: number;

  constructor(userId: number) {
    this.userId = userId;
  }
}

type Queries =
  | { readonly type: 'user.get'; readonly userId: number }
  | { readonly type: 'user.find'; readonly name: string };

describe('forQuery', () => {
  it('knows the fields of its query', () => {
    forQuery(GetUser, {
      ttl: '1m',
      mode: 'shadow',
      key: (query) => {
        expectTypeOf(query).toEqualTypeOf<GetUser>();
        return [query.userId];
      },
      tags: (query) => [`user:${query.userId}`],
    });
  });

  it('refuses fields that there are not, and options of another type', () => {
    // @ts-expect-error -- it is called userId
    forQuery(GetUser, { key: (query) => [query.id] });
    // @ts-expect-error -- a number is neither a path nor a list of segments
    forQuery(GetUser, { key: (query) => query.userId });
    // @ts-expect-error -- tags are texts
    forQuery(GetUser, { tags: (query) => [query.userId] });
    // @ts-expect-error -- minutes are written 'm'
    forQuery(GetUser, { ttl: '5min' });
    // @ts-expect-error -- the switch has three positions
    forQuery(GetUser, { mode: 'Shadow' });
    // @ts-expect-error -- a token is of one read
    forQuery(GetUser, { atLeast: '1.queued' });
    // @ts-expect-error -- a name is no class
    forQuery('GetUser');
  });
});

describe('queryCache', () => {
  it('returns what the handler does', () => {
    const cached = queryCache(cache, { ttl: '5m', queries: [forQuery(GetUser)] });
    expectTypeOf(cached(new GetUser(42), async () => 'Ada')).toEqualTypeOf<Promise<string>>();
    expectTypeOf(cached.at(GetUser)).toEqualTypeOf<Target>();
    expectTypeOf(cached.at(new GetUser(42))).toEqualTypeOf<Target>();
    expectTypeOf(cached.shadow(GetUser)).toEqualTypeOf<ShadowCounts>();
    // @ts-expect-error -- a text is no query
    void cached('GetUser', () => 1);
    // @ts-expect-error -- a class alone says nothing
    queryCache(cache, { queries: [GetUser] });
    // @ts-expect-error -- the option is called prefix
    queryCache(cache, { Prefix: 'x' });
  });

  it('knows each query by its type', () => {
    const cached = queryCache<Queries>(cache, {
      queries: {
        'user.get': { key: (query) => [query.userId] },
        'user.find': { key: (query) => [query.name], ttl: '10s' },
      },
    });
    cached.at('user.get');
    cached.at({ type: 'user.find', name: 'ada' });
    // @ts-expect-error -- there is no such query
    cached.at('user.delete');
    // @ts-expect-error -- there is no such query
    cached.shadow('user.delete');
    // @ts-expect-error -- the id is missing
    void cached({ type: 'user.get' }, () => 1);
    // @ts-expect-error -- it is called user.get
    queryCache<Queries>(cache, { queries: { 'user.got': {} } });
    // @ts-expect-error -- only user.find has a name
    queryCache<Queries>(cache, { queries: { 'user.get': { key: (query) => [query.name] } } });
  });
});

describe('the switch of a query', () => {
  it('has three positions, and its differences may be the query’s own', () => {
    const users = cache.query({
      name: 'user',
      load: async (id: number) => ({ id }),
      mode: 'shadow',
      equals: (cached, loaded) => {
        expectTypeOf(cached).toEqualTypeOf<{ id: number }>();
        return cached.id === loaded.id;
      },
    });
    expectTypeOf(users.shadow()).toEqualTypeOf<ShadowCounts>();
    users.with({ mode: 'off' });
    // @ts-expect-error -- the switch has three positions
    users.with({ mode: 'dark' });
    // @ts-expect-error -- equals compares two values of the query
    cache.query({ name: 'b', load: () => 1, equals: (cached: string, loaded: string) => cached === loaded });
  });
});
