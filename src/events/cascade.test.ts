import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTarget, everything, key, pattern, type Target, tag } from '../coherence/target.ts';
import { createCache } from '../index.ts';
import { Cascade } from './cascade.ts';
import { type Implication, implies } from './implication.ts';

function implied(implications: readonly Implication[], ...targets: Target[]): string[] {
  return new Cascade(implications).steps(targets).map((it) => describeTarget(it.implied));
}

const userToFeed = implies('user:{id}', 'feed:{id}');

describe('a cascade', () => {
  it.each<[string, Target, string[]]>([
    ['the same', key('user', 7), ['key feed:7']],
    ['a part of it', key('user:7:avatar'), ['key feed:7']],
    ['all of them', key('user'), ['key feed']],
    ['another', key('users', 7), []],
    ['an id with a colon', key(['user', 'a:b']), ['key feed:a\\:b']],
    ['a tag of that name', tag('user:7'), []],
    ['a pattern that may match one', pattern('user:4*'), ['key feed']],
    ['a pattern that may match anything', pattern('*:4'), ['key feed']],
    ['a pattern that matches another', pattern('users:*'), []],
    ['everything', everything(), []],
  ])('%s', (_what, target, expected) => {
    expect(implied([userToFeed], target)).toEqual(expected);
  });

  it('goes on with what is implied, and names nothing twice', () => {
    const chain = [
      userToFeed,
      implies('feed:{id}', ['digest:{id}', 'tag feed:{id}']),
      implies('tag feed:{id}', ['digest:{id}', 'mail:{id}:*']),
    ];
    expect(implied(chain, key('user', 7), key('user', 8))).toEqual([
      'key feed:7',
      'key feed:8',
      'key digest:7',
      'tag feed:7',
      'key digest:8',
      'tag feed:8',
      'pattern mail:7:*',
      'pattern mail:8:*',
    ]);
  });

  it('says what implied what', () => {
    expect(new Cascade([userToFeed]).steps([key('user', 7)])).toEqual([
      { because: key('user', 7), implied: key('feed:7'), by: 'user:{id} -> feed:{id}' },
    ]);
  });

  it('begins at both readings of a colon in the first argument', () => {
    const both = [implies('a:b:{id}', 'x:{id}'), implies('a\\:b:{id}', 'y:{id}')];
    expect(implied(both, key('a:b', 7))).toEqual(['key x:7', 'key y:7']);
  });

  it('takes the name out of the middle of a tag', () => {
    const it = [implies('tag org:{org}:users', 'fr:{org}')];
    expect(implied(it, tag('org:a:b:users'), tag('org::users'), tag('org:1:posts'))).toEqual(['key fr:a\\:b']);
    expect(implied([implies('tag all', 'fr')], tag('all'), tag('all:1'))).toEqual(['key fr']);
  });

  it('hands a hashed argument on as it is, and covers more where a text is needed', () => {
    const target = key(['report', { month: 11 }]);
    expect(implied([implies('report:{filter}', 'chart:{filter}')], target)).toEqual([
      describeTarget(key(['chart', { month: 11 }])),
    ]);
    expect(implied([implies('report:{filter}', 'chart:c{filter}')], target)).toEqual(['key chart']);
  });

  it('stops at a literal segment that differs', () => {
    const it = [implies('org:{org}:users', 'org:{org}:feeds')];
    expect(implied(it, key('org', 1, 'users'))).toEqual(['key org:1:feeds']);
    expect(implied(it, key('org', 1, 'posts'))).toEqual([]);
    expect(implied(it, key('org', 1))).toEqual(['key org:1:feeds']);
  });
});

describe('implies, of queries', () => {
  const cache = createCache({ name: 'shop' });
  const budgets = cache.query({ name: 'fr:{budgets}', load: (org: string, period: string) => org + period });
  const overview = cache.query({ name: 'fr:overview', load: (org: string) => org });
  const all = cache.query({ name: 'all', load: () => 1 });

  it('hands arguments on, and covers as much as they select', () => {
    const it = [implies(budgets, overview, (org) => [org])];
    expect(implied(it, budgets.at('ORG1', '2025-11'))).toEqual(['key fr:overview:ORG1']);
    expect(implied(it, budgets.at())).toEqual(['key fr:overview']);
    expect(implied([implies(overview, budgets, (org) => [org])], overview.at('a:b'))).toEqual([
      describeTarget(budgets.at('a:b')),
    ]);
    expect(implied([implies(overview, all, () => [])], overview.at('ORG1'))).toEqual(['key all']);
    expect(implied([implies(overview, budgets, (org) => [org, '2025:11'])], overview.at('ORG1'))).toEqual([
      describeTarget(budgets.at('ORG1', '2025:11')),
    ]);
  });

  it('covers what the arguments that are not there would have selected', () => {
    const swapped = cache.query({ name: 'swapped', load: (period: string, org: string) => org + period });
    const it = [implies(budgets, swapped, (org, period) => [period, org])];
    expect(implied(it, budgets.at('ORG1', '2025-11'))).toEqual(['key swapped:2025-11:ORG1']);
    expect(implied(it, budgets.at('ORG1'))).toEqual(['key swapped']);
  });

  it('refuses to make something of an argument, or to leave out which it is', () => {
    const make = (args: unknown) => () => implies(overview, budgets, args as () => []);
    expect(make((org: unknown) => [`${org as string}!`])).toThrow('an argument can only be handed on as it is');
    expect(make((org: unknown) => org)).toThrow('is no list of arguments for "fr:{budgets}"');
    expect(make(undefined)).toThrow('undefined says not which arguments of "fr:overview" to hand on');
  });
});

describe('implies, in writing', () => {
  it.each([
    ['user:u{id}', 'feed:{id}', 'cannot be told apart'],
    ['tag {a}:{b}', 'feed:{a}', 'cannot be told apart'],
    ['user:*', 'feed', 'cannot be told apart'],
    ['everything', 'feed', 'cannot be told apart'],
    ['user:{id}', 'feed:{userId}', '"feed:{userId}" names userId, which "user:{id}" does not have'],
    ['user:{id', 'feed', 'opens a brace'],
  ])('refuses %s -> %s', (from, to, message) => {
    expect(() => implies(from, to)).toThrow(message);
  });
});

describe('a circle', () => {
  it.each<[string, [string, string][]]>([
    ['user:{id} -> user:{id}', [['user:{id}', 'user:{id}']]],
    [
      'user:{id} -> feed:{id} -> digest:{id} -> user:{id}',
      [
        ['user:{id}', 'feed:{id}'],
        ['feed:{id}', 'digest:{id}'],
        ['digest:{id}', 'user:{id}'],
      ],
    ],
    [
      'feed:{id} -> digest:{id} -> feed:{id}',
      [
        ['user:{id}', 'feed:{id}'],
        ['feed:{id}', 'digest:{id}'],
        ['digest:{id}', 'feed:{id}'],
      ],
    ],
    [
      'a:{id} -> b -> a:{id}',
      [
        ['a:{id}', 'b'],
        ['b', 'a'],
      ],
    ],
    ['a:{id} -> a:{id}', [['a:{id}', 'a:{id}:part']]],
    ['a:{id} -> a:{id}', [['a:{id}', 'a:*']]],
    ['tag a:{id} -> tag a:{id}', [['tag a:{id}', 'tag a:b:{id}']]],
    [
      'a:{id} -> tag a:{id} -> a:{id}',
      [
        ['a:{id}', 'tag a:{id}'],
        ['tag a:{id}', 'a:{id}'],
      ],
    ],
  ])('%s is refused when it is declared', (circle, pairs) => {
    expect(() => new Cascade(pairs.map(([from, to]) => implies(from, to)))).toThrow(
      `cascades: ${JSON.stringify(circle)} is a circle.`,
    );
  });

  it.each<[string, string]>([
    ['a:{id}', 'b:{id}'],
    ['org:{org}:users', 'org:{org}:feeds'],
    ['tag a:{id}', 'tag b:{id}'],
    ['tag a', 'tag ab'],
    ['a:{id}', 'everything'],
    ['a:{id}', 'b:a:{id}'],
  ])('%s -> %s is none', (from, to) => {
    expect(() => new Cascade([implies(from, to)])).not.toThrow();
  });

  it('is not looked for along every path: forty forks end at once', () => {
    const forks = Array.from({ length: 40 }, (_, i) => [
      implies(`s${i}:{id}`, [`a${i}:{id}`, `b${i}:{id}`]),
      implies(`a${i}:{id}`, `s${i + 1}:{id}`),
      implies(`b${i}:{id}`, `s${i + 1}:{id}`),
    ]).flat();
    expect(implied(forks, key('s0', 7))).toHaveLength(120);
  });

  it('is refused, or every cascade ends: what was accepted implies a finite number of targets', () => {
    const name = fc.constantFrom('a', 'b', 'c:x', 'c:{id}:x', 'd:{id}', 'tag t:{id}', 'a:{id}');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name), { maxLength: 6 }), (pairs) => {
        let cascade: Cascade;
        try {
          cascade = new Cascade(pairs.map(([from, to]) => implies(from, to)));
        } catch {
          return;
        }
        const targets = [key('a', 1), key('c'), key('d:2'), tag('t:3'), pattern('*:x')];
        expect(cascade.steps(targets).length).toBeLessThan(50);
      }),
      { numRuns: 1_000 },
    );
  });
});
