import { describe, expect, it, vi } from 'vitest';
import { describeTarget, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import { withContext } from './load-context.ts';
import type { QueryOptions } from './query.ts';

function setUp() {
  const clock = new FakeClock();
  const cache = createCache({ name: 'test', clock, random: new SeededRandom(1).next });
  const keys: string[] = [];
  cache.on((event) => {
    if (event.type === 'loaded') keys.push(event.key);
  });
  return { clock, cache, keys };
}

describe('a query', () => {
  it('keeps each list of arguments under a key below its name', async () => {
    const { cache, keys } = setUp();
    const any = cache.query({ name: ['fr', 'budgets'].join(':'), load: (...args: unknown[]) => args.length });
    expect(any.path).toBe('fr:budgets');
    await any('ORG1', '2025-11');
    await any(1, true, 10n);
    await any('a:b', 'c\\d');
    await any();
    expect(keys).toEqual(['fr:budgets:ORG1:2025-11', 'fr:budgets:1:true:10', 'fr:budgets:a\\:b:c\\\\d', 'fr:budgets']);
  });

  it('tells apart arguments that are objects by what they hold, in whatever order', async () => {
    const { cache } = setUp();
    const load = vi.fn((filter: object) => filter);
    const search = cache.query({ name: 'search', load });
    const first = await search({ a: 1, b: [2] });
    expect(await search({ b: [2], a: 1 })).toBe(first);
    await search({ a: 1, b: [3] });
    await search({ a: 1 });
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('tells null, undefined and nothing from texts of the same name', async () => {
    const { cache } = setUp();
    const load = vi.fn((...args: unknown[]) => args.length);
    const any = cache.query({ name: 'any', load });
    for (const args of [[null], ['null'], ['#null'], [], ['undefined'], ['#undefined'], [undefined, 1]])
      await any(...args);
    expect(load).toHaveBeenCalledTimes(7);
    await any(undefined); // as good as nothing
    await any(null, undefined);
    expect(load).toHaveBeenCalledTimes(7);
  });

  it('hands the arguments to its loader, and the context before them where that asks for it', async () => {
    const { cache } = setUp();
    const plain = vi.fn((a: string, b: number) => `${a} ${b}`);
    const withCtx = vi.fn((ctx: { key: string }, a: string, b: number) => `${ctx.key} ${a} ${b}`);
    expect(await cache.query({ name: 'plain', load: plain })('a', 1)).toBe('a 1');
    expect(plain.mock.calls).toEqual([['a', 1]]);
    expect(await cache.query({ name: 'ctx', load: withContext(withCtx) })('a', 1)).toBe('ctx:a:1 a 1');
  });

  it('takes its tags from the arguments, for values loaded one by one', async () => {
    const { cache } = setUp();
    const budgets = cache.query({
      name: 'budgets',
      load: (org: string, month: number) => `${org} ${month}`,
      tags: (org, month) => [`org:${org}`, `month:${month}`],
    });
    await budgets('ORG1', 1);
    await budgets('ORG2', 1);
    await cache.invalidate(tag('org:ORG1'));
    expect([budgets.peek('ORG1', 1), budgets.peek('ORG2', 1)]).toEqual([undefined, 'ORG2 1']);
    await cache.invalidate(tag('month:1'));
    expect(budgets.peek('ORG2', 1)).toBeUndefined();
  });

  it('may make its key of its arguments', async () => {
    const { cache, keys } = setUp();
    const search = cache.query({
      name: 'search',
      load: (filter: { org: string; text: string }, _trace?: string) => filter.text,
      key: (filter) => [filter?.org, filter?.text.toLowerCase()],
    });
    expect(await search({ org: 'ORG1', text: 'ABC' }, 'trace 1')).toBe('ABC');
    expect(await search({ org: 'ORG1', text: 'abc' }, 'trace 2')).toBe('ABC');
    expect(keys).toEqual(['search:ORG1:abc']);
    expect(describeTarget(search.at())).toBe('key search');
    expect(describeTarget(search.at({ org: 'ORG1', text: 'ABC' }))).toBe('key search:ORG1:abc');
  });

  it('says what is wrong where its key cannot be made of fewer arguments', () => {
    const { cache } = setUp();
    const range = cache.query({
      name: 'range',
      load: (from: { day: number }, to: { day: number }) => to.day - from.day,
      key: (from, to) => [from.day, to.day],
    });
    expect(() => range.at({ day: 1 })).toThrow(
      'query "range": its `key` failed for at([object Object]). Let `key` return undefined for arguments that are absent, or call at() with all of them.',
    );
  });
});

describe('peek', () => {
  it('shows what memory may serve, at once, and loads nothing', async () => {
    const { clock, cache } = setUp();
    const load = vi.fn(() => null);
    const user = cache.query({ name: 'user', load, ttl: '1s' });
    expect(user.peek()).toBeUndefined();
    await user();
    expect(user.peek()).toBeNull();
    await clock.advance(1_000);
    expect(user.peek()).toBeUndefined();
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('shows nothing that is covered, and nothing where the query is switched off', async () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: () => 1 });
    await user();
    expect(user.with({ enabled: false }).peek()).toBeUndefined();
    expect(user.peek()).toBe(1);
    await cache.invalidate(user.at());
    expect(user.peek()).toBeUndefined();
  });
});

describe('at', () => {
  it('is everything below the arguments it is given', () => {
    const { cache } = setUp();
    const budgets = cache.query({ name: 'fr:budgets', load: (org: string, month: number) => org.length + month });
    expect(describeTarget(budgets.at())).toBe('key fr:budgets');
    expect(describeTarget(budgets.at('ORG1'))).toBe('key fr:budgets:ORG1');
    expect(describeTarget(budgets.at('a:b', 7))).toBe('key fr:budgets:a\\:b:7');
    expect(describeTarget(budgets.at(undefined, 7))).toBe('key fr:budgets');
  });

  it('covers what was kept below it, and not what is beside it', async () => {
    const { cache } = setUp();
    const row = cache.query({ name: 'row', load: (a: string, b: number) => `${a} ${b}` });
    await row.many([
      ['x', 1],
      ['x', 2],
      ['xx', 1],
    ]);
    await cache.invalidate(row.at('x', 1));
    expect([row.peek('x', 1), row.peek('x', 2)]).toEqual([undefined, 'x 2']);
    await cache.invalidate(row.at('x'));
    expect([row.peek('x', 2), row.peek('xx', 1)]).toEqual([undefined, 'xx 1']);
    await cache.invalidate(row.at());
    expect(row.peek('xx', 1)).toBeUndefined();
  });
});

describe('with', () => {
  it('is the same query, read with other options, over those it has', async () => {
    const { clock, cache } = setUp();
    const load = vi.fn((id: number) => id);
    const user = cache.query({ name: 'user', load, ttl: '10s', grace: '1m' });
    const quick = user.with({ ttl: '1s' });
    expect(quick.path).toBe('user');
    await quick(1);
    expect(user.peek(1)).toBe(1);
    await clock.advance(1_000);
    expect(user.peek(1)).toBeUndefined();
    load.mockImplementationOnce(() => {
      throw new Error('down');
    });
    expect(await quick.with({ timeout: '1s' })(1)).toBe(1); // under the grace of the query
  });

  it('refuses options that are none', () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: () => 1 });
    expect(() => user.with({ jitter: 2 })).toThrow('jitter: 2 is not a share. Give a number from 0 to 1.');
    expect(() => user.with({ atLeast: 'x' })).toThrow('"x" is not a position token.');
  });
});

describe('the name of a query', () => {
  it.each([
    [
      'fr:budgets',
      'The query name "fr:budgets" is taken by another query. Make a query once and share it, or give it another name or another version.',
    ],
    [
      'fr:budgets:monthly',
      'The query name "fr:budgets:monthly" is below the query "fr:budgets", so their keys could meet. Give one of them another first segment.',
    ],
    [
      'fr',
      'The query name "fr" is above the query "fr:budgets", so their keys could meet. Give one of them another first segment.',
    ],
  ])('may not be %s where there is fr:budgets', async (name, message) => {
    const { cache } = setUp();
    const budgets = cache.query({ name: 'fr:budgets', load: () => 1 });
    expect(() => cache.query({ name, load: () => 2 })).toThrow(message);
    expect(() => cache.query({ name, load: () => 2 })).toThrow(expect.objectContaining({ code: 'INVALID_QUERY' }));
    expect(await budgets()).toBe(1);
  });

  it('may begin with the letters of another, and is free again in another cache', () => {
    const { cache } = setUp();
    cache.query({ name: 'fr:budgets', load: () => 1 });
    cache.query({ name: 'fr:budgetsMonthly', load: () => 1 });
    cache.query({ name: 'f', load: () => 1 });
    expect(setUp().cache.query({ name: 'fr:budgets', load: () => 1 }).path).toBe('fr:budgets');
  });

  it('is not taken by a query that was refused for something else', () => {
    const { cache } = setUp();
    expect(() => cache.query({ name: 'user', load: () => 1, ttl: -1 })).toThrow('ttl: -1 is not a duration.');
    expect(cache.query({ name: 'user', load: () => 1 }).path).toBe('user');
  });

  it.each([
    ['', 'is empty'],
    ['x'.repeat(1_025), 'is longer than 1024 characters'],
    [undefined, 'is neither a string nor an array of segments'],
  ])('may not be %j', (name, problem) => {
    const { cache } = setUp();
    expect(() => cache.query({ name: name as string, load: () => 1 })).toThrow(problem);
  });
});

describe('bad input', () => {
  it.each([[undefined], ['load'], [{}], [null]])('a query whose loader is %j', (load) => {
    const { cache } = setUp();
    const options = { name: 'user', load } as unknown as QueryOptions<[], number>;
    expect(() => cache.query(options)).toThrow(
      'query "user": `load` is not a function. Give the function that reads the value from its source.',
    );
  });

  it.each([
    [[''], 'is empty'],
    [['x'.repeat(1_025)], 'is longer than 1024 characters'],
    [Array.from({ length: 17 }, () => 'x'), 'is deeper than 16 segments'],
    [[() => 1], 'has no canonical JSON'],
    [['\ud800'], 'holds half of a surrogate pair'],
  ])('a key of %j', async (segments, problem) => {
    const { cache } = setUp();
    const load = vi.fn(() => 1);
    const read = cache.getOrSet(segments, load);
    await expect(read).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(read).rejects.toThrow(problem);
    expect(load).not.toHaveBeenCalled();
  });

  it.each([[''], [42], [null], [undefined], [{}], ['a'.repeat(1_025)], ['a:'.repeat(16) + 'b']])(
    'a key that is %j',
    async (name) => {
      const { cache } = setUp();
      const load = vi.fn(() => 1);
      await expect(cache.getOrSet(name as string, load)).rejects.toMatchObject({ code: 'INVALID_KEY' });
      expect(load).not.toHaveBeenCalled();
    },
  );

  it('arguments that make a key too long, or have no canonical form, reject; they throw nothing', async () => {
    const { cache } = setUp();
    const any = cache.query({ name: 'any', load: (...args: unknown[]) => args.length });
    for (const args of [['x'.repeat(1_025)], [new Map()], [Symbol('s')], Array.from({ length: 16 }, () => 1)]) {
      for (const read of [any(...args), any.read(...args), any.many([args])])
        await expect(read).rejects.toMatchObject({ code: 'INVALID_KEY' });
      expect(() => any.peek(...args)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
    }
  });

  it.each([
    ['', '""'],
    ['a\nb', '"a\\nb"'],
    ['a\u0000b', '"a\\u0000b"'],
    ['a\u0085b', '"a\u0085b"'],
    ['x'.repeat(257), '… (259 characters)'],
    [7, '7'],
    [undefined, 'undefined'],
  ])('a tag that is %j', async (name, shown) => {
    const { cache } = setUp();
    const load = vi.fn(() => 1);
    const message = 'is not a text of 1 to 256 characters without control characters. Strip them, or shorten it.';
    const reads = [
      cache.getOrSet('k', load, { tags: [name as string] }),
      cache.query({ name: 'q', load, tags: () => [name as string] })(),
    ];
    for (const read of reads) {
      await expect(read).rejects.toMatchObject({ code: 'INVALID_TAG' });
      await expect(read).rejects.toThrow(message);
      await expect(read).rejects.toThrow(shown);
    }
    expect(load).not.toHaveBeenCalled();
    expect(cache.status()).toMatchObject({ entries: 0, loading: 0 });
  });

  it.each([['org:7'], [{}], [7]])('tags that are %j', async (tags) => {
    const { cache } = setUp();
    const read = cache.getOrSet('k', () => 1, { tags: tags as unknown as string[] });
    await expect(read).rejects.toThrow("is not an array. Write tags: ['org:7'].");
  });

  it('tags of a query that are no list', async () => {
    const { cache } = setUp();
    const user = cache.query({ name: 'user', load: () => 1, tags: () => 'org:7' as unknown as string[] });
    await expect(user()).rejects.toMatchObject({
      code: 'INVALID_TAG',
      message: 'query "user": its `tags` returned "org:7", which is not an array. Return [\'org:7\'].',
    });
    const other = cache.query({ name: 'other', load: () => 1, tags: () => undefined as unknown as string[] });
    await expect(other()).rejects.toMatchObject({ code: 'INVALID_TAG' });
  });

  it('a load that is no function', async () => {
    const { cache } = setUp();
    await expect(cache.getOrSet('k', 'value' as unknown as () => string)).rejects.toThrow(
      'load: "value" is not a function. Give getOrSet() the function that reads the value; get() reads without one.',
    );
  });
});
