import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatches } from '../coherence/glob.ts';
import { ancestors, canonicalKey } from '../coherence/key.ts';
import { everything, key, pattern, type Target, tag } from '../coherence/target.ts';
import { fillingOf } from './field.ts';
import { fillTemplate, parseTemplate } from './template.ts';

function filled(template: string, event: object) {
  return fillTemplate(parseTemplate(template), (name) => fillingOf(event, name));
}

describe('a template', () => {
  it.each<[string, object, Target]>([
    ['user:{id}', { id: 7 }, key('user:7')],
    ['user:{id}:posts', { id: 'a' }, key(['user', 'a', 'posts'])],
    ['user', {}, key('user')],
    ['user:{data.id}', { data: { id: true } }, key('user:true')],
    ['user:u{id}-{n}', { id: 7.5, n: 1 }, key('user:u7.5-1')],
    ['report:{filter}', { filter: { a: 1 } }, key(['report', { a: 1 }])],
    ['key a*b:{id}', { id: 1 }, key('a*b:1')],
    ['a\\:b:{id}', { id: 1 }, key('a\\:b:1')],
    ['a\\{b\\}:{id}', { id: 1 }, key(['a{b}', 1])],
    ['tag org:{org}', { org: 'a:b*' }, tag('org:a:b*')],
    ['query_cache:GetUserQuery:*{userId}*', { userId: 42 }, pattern('query_cache:GetUserQuery:*42*')],
    ['pattern a:{id}', { id: '?' }, pattern('a:\\?')],
    ['a:?\\*{id}', { id: 1 }, pattern('a:?\\*1')],
    ['everything', {}, everything()],
  ])('%s of %j', (template, event, target) => {
    expect(filled(template, event)).toEqual({ target, missing: [] });
  });

  it('takes a bigint, as keys do', () => {
    expect(filled('user:{id}:u{id}', { id: 7n }).target).toEqual(key('user', 7n, 'u7'));
  });

  it.each<[string, object, Target, string[]]>([
    ['fr:{org}:user:{id}', { org: 'A' }, key('fr:A:user'), ['id']],
    ['fr:{org}:user:{id}', { id: 7 }, key('fr'), ['org']],
    ['fr:{org}', { org: null }, key('fr'), ['org']],
    ['fr:x{org}', { org: { a: 1 } }, key('fr'), ['org']],
    ['{org}:users', {}, everything(), ['org']],
    ['tag org:{org}', {}, everything(), ['org']],
    ['tag org:{org}', { org: 'line\nbreak' }, everything(), ['org']],
    ['a:{id}:*', {}, pattern('a:*:*'), ['id']],
    ['a:*{id}*', { id: '' }, pattern('a:***'), ['id']],
    ['*{id}', {}, everything(), ['id']],
    ['a:{id}:*', { id: 'x'.repeat(300) }, pattern('a:*:*'), ['id']],
    ['a:{id}', { id: 'x'.repeat(2_000) }, key('a'), ['id']],
    ['a:{id}', { id: '\ud800' }, key('a'), ['id']],
    ['a:{id}', { id: () => 1 }, key('a'), ['id']],
    ['a:{id.length}', { id: 'text' }, key('a'), ['id.length']],
    ['a:{toString}', {}, key('a'), ['toString']],
  ])('%s of %j covers more, and says so', (template, event, target, missing) => {
    expect(filled(template, event)).toEqual({ target, missing });
  });

  it.each([
    ['', 'is no template'],
    [7, 'is no template'],
    ['user:{id', 'opens a brace that is not closed'],
    ['user:id}', 'closes a brace that is not open'],
    ['user:{}', 'which is no field'],
    ['user:{a b}', 'which is no field'],
    ['user:{a..b}', 'which is no field'],
    ['*', 'matches every key'],
    ['tag ', 'is not a text of 1 to 256 characters'],
    ['key ', 'is empty'],
    [Array.from({ length: 17 }, () => 'a').join(':'), 'is deeper than 16 segments'],
    [`tag ${'a'.repeat(257)}`, 'is not a text of 1 to 256 characters'],
  ])('%j is refused before there is an event', (text, message) => {
    expect(() => parseTemplate(text)).toThrow(message);
  });
});

/** Values that would mean something in a key, a pattern or a tag. */
const hostile = fc.oneof(
  fc
    .array(fc.constantFrom(':', '*', '?', '\\', '#', '{', '}', 'a', 'B', '{org}', 'ORG2', ' '), { maxLength: 6 })
    .map((it) => it.join('')),
  fc.string(),
);

describe('what takes the place of a name is data', () => {
  it('in a key: one segment, the same that a query makes of it, below the same tenant', () => {
    fc.assert(
      fc.property(hostile, hostile, (org, id) => {
        const { target, missing } = filled('fr:{org}:user:{id}', { org, id });
        expect(missing).toEqual([]);
        expect(target).toEqual(key(['fr', org, 'user', id]));
        expect(ancestors((target as { key: string }).key)[1]).toBe(canonicalKey(['fr', org]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('in a part of a segment: it does not leave the segment', () => {
    fc.assert(
      fc.property(hostile, hostile, (org, id) => {
        const { target } = filled('fr:u{org}-{id}:user', { org, id });
        expect(target).toEqual(key(['fr', `u${org}-${id}`, 'user']));
      }),
      { numRuns: 2_000 },
    );
  });

  it('in a pattern: it matches itself, letter by letter', () => {
    fc.assert(
      fc.property(hostile, hostile, (org, other) => {
        const { target, missing } = filled('fr:{org}!*', { org });
        fc.pre(missing.length === 0 && target.kind === 'pattern');
        for (const plain of [`fr:${org}!x`, `fr:${other}!x`])
          expect(globMatches((target as { pattern: string }).pattern, plain)).toBe(plain.startsWith(`fr:${org}!`));
      }),
      { numRuns: 2_000 },
    );
  });

  it('in a tag: one tag', () => {
    fc.assert(
      fc.property(hostile, (org) => {
        const { target, missing } = filled('tag org:{org}', { org });
        expect(target).toEqual(missing.length === 0 ? tag(`org:${org}`) : everything());
      }),
    );
  });
});
