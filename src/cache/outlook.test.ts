import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everything, key, pattern, type Target, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { type Cache, createCache } from './cache.ts';

let clock: FakeClock;
let cache: Cache;

beforeEach(() => {
  clock = new FakeClock();
  cache = createCache({ name: 'shop', clock });
});

afterEach(() => cache.close());

const ORGS = ['ORG1', 'ORG2'];
const KEYS = ORGS.flatMap((org) => ['users:1', 'users:2', 'feed:1', 'a\\:b'].map((rest) => `${org}:${rest}`));

async function fill(): Promise<void> {
  for (const name of KEYS) await cache.getOrSet(name, () => name, { tags: [`org:${name.slice(0, 4)}`], ttl: '1h' });
}

async function cached(): Promise<string[]> {
  const found: string[] = [];
  for (const name of KEYS) if (await cache.has(name)) found.push(name);
  return found;
}

describe('wouldCover', () => {
  it('names exactly what an invalidation of the same targets takes from memory', async () => {
    const segments = fc.array(fc.constantFrom('ORG1', 'ORG2', 'users', 'feed', '1', '2', 'a:b'), {
      minLength: 1,
      maxLength: 3,
    });
    const target = fc.oneof(
      segments.map((it) => key(it)),
      segments.map(([first, ...rest]) => key(`${first}:${rest[0] ?? 'users'}`, ...rest)),
      fc.constantFrom('org:ORG1', 'org:ORG2', 'org:ORG3').map(tag),
      fc.constantFrom('*:1', 'ORG1:*', '*users*', 'ORG?:feed:?', '*:a:b', '*a\\:b').map(pattern),
      fc.constant(everything()),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(target, { minLength: 1, maxLength: 3 }), async (targets) => {
        await fill();
        const { keys, more } = cache.wouldCover(targets);
        expect(await cached()).toEqual(KEYS);
        await cache.invalidate(targets);
        const left = await cached();
        expect([...keys].sort()).toEqual(KEYS.filter((name) => !left.includes(name)).sort());
        expect(more).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('names at most so many, and counts the others', async () => {
    await fill();
    expect(cache.wouldCover([everything()], { most: 3 })).toEqual({ keys: KEYS.slice(0, 3), more: 5 });
    expect(cache.wouldCover([tag('org:ORG2')], { most: 0 })).toEqual({ keys: [], more: 4 });
  });

  it('leaves out what is covered already, and what has expired', async () => {
    await fill();
    await cache.invalidate(key('ORG1:users'));
    expect(cache.wouldCover([key('ORG1')]).keys).toEqual(['ORG1:feed:1', 'ORG1:a\\:b']);
    await clock.advance(3_600_000);
    expect(cache.wouldCover([everything()])).toEqual({ keys: [], more: 0 });
  });

  it('names keys, whatever version of their query keeps them', async () => {
    const query = (version: number) => cache.query({ name: 'report', version, load: (id: number) => id });
    const [first, second] = [query(1), query(2)];
    await first(7);
    await second(7);
    for (const targets of [[first.at(7)], [pattern('report:*')]])
      expect(cache.wouldCover(targets)).toEqual({ keys: ['report:7', 'report:7'], more: 0 });
  });

  it('does not count as use: what it names is evicted as if nobody had looked', async () => {
    const small = createCache({ name: 'small', clock, memory: { maxEntries: 2 } });
    for (const name of ['a', 'b']) await small.getOrSet(name, () => name);
    expect(small.wouldCover([key('a')]).keys).toEqual(['a']);
    await small.getOrSet('c', () => 'c');
    expect(await small.has('a')).toBe(false);
    expect(await small.has('b')).toBe(true);
    await small.close();
  });

  it('has nothing to name without memory, or without targets', async () => {
    const bare = createCache({ name: 'bare', clock, memory: false });
    expect(bare.wouldCover([everything()])).toEqual({ keys: [], more: 0 });
    await bare.close();
    await fill();
    expect(cache.wouldCover([])).toEqual({ keys: [], more: 0 });
  });

  it('refuses what is no target, and options that nobody reads', async () => {
    const wrong = (targets: unknown, options?: object) => () => cache.wouldCover(targets as Target[], options);
    expect(wrong('a')).toThrow('wouldCover() was given "a"');
    expect(wrong(['a'])).toThrow('"a" is not a target');
    expect(wrong([], { limit: 1 })).toThrow('wouldCover(): there is no option "limit"');
    expect(wrong([], { most: -1 })).toThrow('most: -1 is not a whole number from 0 on');
    await cache.close();
    expect(wrong([])).toThrow('closed');
  });
});
