/* oxlint-disable vitest/expect-expect -- a line that must not compile is an assertion, made by the compiler */
import { createCache, key, type LoadContext, type Provenance, type Query, type Target, withContext } from 'tidemark';
import { describe, expectTypeOf, it } from 'vitest';

const cache = createCache({ name: 'shop' });

interface Budget {
  readonly total: number;
}

const budgets = cache.query({
  name: 'fr:budgets',
  load: async (orgId: string, month: number): Promise<Budget> => ({ total: orgId.length + month }),
  ttl: '5m',
  tags: (orgId) => [`org:${orgId}`],
});

describe('a query', () => {
  it('takes the arguments of its loader, and returns what that returns', () => {
    expectTypeOf(budgets).toEqualTypeOf<Query<[orgId: string, month: number], Budget>>();
    expectTypeOf(budgets('ORG1', 1)).resolves.toEqualTypeOf<Budget>();
    expectTypeOf(budgets.read('ORG1', 1)).resolves.toEqualTypeOf<Provenance<Budget>>();
    expectTypeOf(budgets.peek('ORG1', 1)).toEqualTypeOf<Budget | undefined>();
    expectTypeOf(budgets.many([['ORG1', 1]])).resolves.toEqualTypeOf<Budget[]>();
    expectTypeOf(budgets.at('ORG1')).toEqualTypeOf<Target>();
    expectTypeOf(budgets.with({ maxStaleness: '5s' })).toEqualTypeOf<typeof budgets>();
  });

  it('takes the arguments after the context', () => {
    const withKey = cache.query({
      name: 'a',
      load: withContext((ctx, orgId: string, month: number) => ({ key: ctx.key, orgId, month })),
      tags: (orgId, month) => [orgId, month.toFixed(0)],
    });
    expectTypeOf(withKey).parameters.toEqualTypeOf<[orgId: string, month: number]>();
    withContext((ctx, id: number) => {
      expectTypeOf(ctx).toEqualTypeOf<LoadContext>();
      expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
      return id;
    });
  });

  it('may have a loader without arguments, a synchronous one, and one that finds nothing', () => {
    expectTypeOf(cache.query({ name: 'b', load: () => 1 })).toEqualTypeOf<Query<[], number>>();
    const found = cache.query({ name: 'c', load: async (id: number) => (id > 0 ? id : null) });
    expectTypeOf(found).toEqualTypeOf<Query<[id: number], number | null>>();
    expectTypeOf(cache.remember('d', (id: number) => id.toFixed(0))).toEqualTypeOf<Query<[id: number], string>>();
  });

  it('knows the arguments in tags, key and loadMany', () => {
    cache.query({
      name: 'e',
      load: (orgId: string, month: number) => orgId + month,
      tags: (orgId, month) => {
        expectTypeOf(orgId).toEqualTypeOf<string>();
        expectTypeOf(month).toEqualTypeOf<number>();
        return [orgId];
      },
      key: (orgId, month) => {
        expectTypeOf(month).toEqualTypeOf<number>();
        return [orgId, month];
      },
      loadMany: (list, contexts) => {
        expectTypeOf(list).toEqualTypeOf<readonly [orgId: string, month: number][]>();
        expectTypeOf(contexts).toEqualTypeOf<readonly LoadContext[]>();
        return list.map(([orgId, month]) => orgId + month);
      },
    });
  });

  it('keeps arguments that may be left out, though its tags and its key take fewer', () => {
    const search = cache.query({
      name: 'search',
      load: (filter: { readonly text: string }, _trace?: string) => filter.text,
      tags: (filter) => [filter.text],
      key: (filter) => [filter.text],
    });
    expectTypeOf(search).parameters.toEqualTypeOf<[filter: { readonly text: string }, _trace?: string | undefined]>();
  });

  it('refuses arguments of another type, too few and too many', () => {
    // @ts-expect-error -- a number where the organisation belongs
    void budgets(1, 1);
    // @ts-expect-error -- the month is missing
    void budgets('ORG1');
    // @ts-expect-error -- nothing takes a third argument
    void budgets('ORG1', 1, 2);
    // @ts-expect-error -- a text where the month belongs
    void budgets.read('ORG1', '1');
    // @ts-expect-error -- a text where the month belongs
    budgets.peek('ORG1', '1');
    // @ts-expect-error -- a text where the month belongs
    budgets.request('ORG1', '1');
    // @ts-expect-error -- many takes lists of arguments
    void budgets.many(['ORG1', 1]);
    // @ts-expect-error -- a text where the month belongs
    void budgets.many([['ORG1', '1']]);
  });

  it('refuses what is no prefix of its arguments in at()', () => {
    budgets.at();
    budgets.at('ORG1');
    budgets.at('ORG1', 1);
    // @ts-expect-error -- a number where the organisation belongs
    budgets.at(1);
    // @ts-expect-error -- a text where the month belongs
    budgets.at('ORG1', '1');
    // @ts-expect-error -- nothing takes a third argument
    budgets.at('ORG1', 1, 2);
  });

  it('refuses options that do not exist, or of another type', () => {
    // @ts-expect-error -- the option is called ttl
    budgets.with({ TTL: '5m' });
    // @ts-expect-error -- minutes are written 'm'
    budgets.with({ ttl: '5min' });
    // @ts-expect-error -- a query has a loader
    cache.query({ name: 'f' });
    // @ts-expect-error -- tags are texts
    cache.query({ name: 'g', load: (id: number) => id, tags: (id) => [id] });
    // @ts-expect-error -- loadMany returns what load returns
    cache.query({ name: 'h', load: (id: number) => id, loadMany: (list) => list.map(() => 'text') });
  });
});

describe('getOrSet', () => {
  it('returns what its loader returns, and hands it a context', () => {
    const value = cache.getOrSet(['user', 42], (ctx) => ({ at: ctx.key }), { tags: ['org:7'], ttl: '1m' });
    expectTypeOf(value).resolves.toEqualTypeOf<{ at: string }>();
    expectTypeOf(cache.getOrSet('k', async () => 1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(cache.get('k')).resolves.toEqualTypeOf<unknown>();
    expectTypeOf(cache.get<Budget>('k')).resolves.toEqualTypeOf<Budget | undefined>();
  });

  it('refuses a number as a key, a text as tags, and a size as a duration', () => {
    // @ts-expect-error -- a key is a path or a list of segments
    void cache.getOrSet(42, () => 1);
    // @ts-expect-error -- tags are a list
    void cache.getOrSet('k', () => 1, { tags: 'org:7' });
    // @ts-expect-error -- a size is no duration
    void cache.getOrSet('k', () => 1, { ttl: '5mb' });
  });

  it('refuses to set a value without its mark', () => {
    cache.set('k', 1, { mark: cache.mark() });
    // @ts-expect-error -- the rule needs the position that the value was read after
    cache.set('k', 1, { ttl: '1m' });
    // @ts-expect-error -- the rule needs the position that the value was read after
    cache.set('k', 1);
  });
});

describe('consistent', () => {
  it('returns a tuple of what its requests return', () => {
    const name = cache.query({ name: 'name', load: (id: number) => String(id) });
    const read = cache.consistent([budgets.request('ORG1', 1), name.request(1)]);
    expectTypeOf(read).resolves.toEqualTypeOf<[Budget, string]>();
    // @ts-expect-error -- a promise is no request
    void cache.consistent([budgets('ORG1', 1)]);
  });
});

describe('bypass', () => {
  it('returns what its function returns', () => {
    expectTypeOf(cache.bypass(() => 1)).toEqualTypeOf<number>();
    expectTypeOf(cache.bypass(async () => 1)).toEqualTypeOf<Promise<number>>();
  });
});

describe('invalidate', () => {
  it('takes targets one by one, or as a list', () => {
    void cache.invalidate(budgets.at('ORG1'), key('user', 42));
    void cache.invalidate([budgets.at('ORG1')], { cause: { event: 'budget.updated' } });
  });

  it('refuses bare strings, and what only looks like a target', () => {
    // @ts-expect-error -- is it a key, a tag or a pattern?
    void cache.invalidate('user:42');
    // @ts-expect-error -- is it a key, a tag or a pattern?
    void cache.invalidate(['user:42']);
    // @ts-expect-error -- targets are made by their functions only
    void cache.invalidate({ kind: 'key', key: 'user:42' });
    // @ts-expect-error -- a query is no target, query.at() is
    void cache.invalidate(budgets);
  });
});

describe('createCache', () => {
  it('needs a name and nothing else', () => {
    // @ts-expect-error -- the name is missing
    createCache({});
    // @ts-expect-error -- the option is called maxEntries
    createCache({ name: 'shop', memory: { max: 10 } });
    // @ts-expect-error -- a serializer is one of two names, or an object
    createCache({ name: 'shop', serializer: 'xml' });
  });
});

describe('a version', () => {
  it('takes migrations that say what the other version was, and return what this one is', () => {
    const load = async (id: number) => ({ id, euros: 1 });
    const price = cache.query({
      name: 'price',
      version: 2,
      load,
      migrate: {
        1: (old: { id: number; cents: number }) => ({ id: old.id, euros: old.cents / 100 }),
        3: () => undefined,
      },
    });
    expectTypeOf(price).toEqualTypeOf<Query<[id: number], { id: number; euros: number }>>();
    cache.query({
      name: 'price',
      version: 2,
      load,
      migrate: {
        1: (old) => {
          expectTypeOf(old).toEqualTypeOf<unknown>();
          return undefined;
        },
      },
    });
  });

  it('refuses migrations to another shape, asynchronous ones, and versions that are texts', () => {
    const load = async (id: number) => ({ id, euros: 1 });
    // @ts-expect-error -- `cents` is the old shape
    cache.query({ name: 'price', load, migrate: { 2: () => ({ id: 1, cents: 100 }) } });
    // @ts-expect-error -- a promise is not the new value
    cache.query({ name: 'price', load, migrate: { 2: async () => ({ id: 1, euros: 1 }) } });
    // @ts-expect-error -- a text is no version
    cache.query({ name: 'price', load, version: '2' });
  });
});
