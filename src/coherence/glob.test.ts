import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globMatches } from './glob.ts';

/** The same by a regular expression: simple, but its time is not bounded. */
function reference(glob: string): RegExp {
  const source = glob.replace(/\\([^])|\*|\?|[^]/gu, (part, escaped?: string) => {
    if (escaped !== undefined) return literal(escaped);
    return part === '*' ? '.*' : part === '?' ? '.' : literal(part);
  });
  return new RegExp(`^${source}$`, 'su');
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

describe('globMatches', () => {
  it.each([
    ['query_cache:*User*:*', 'query_cache:GetUserById:42', true],
    ['query_cache:*User*:*', 'query_cache:GetOrder:42', false],
    ['availability:*', 'availability:2025:11', true],
    ['availability:*', 'availability', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a:c', true],
    ['a\\*c', 'a*c', true],
    ['a\\*c', 'abc', false],
    ['a\\?', 'a?', true],
    ['a\\?', 'ab', false],
    ['a\\\\b', 'a\\b', true],
    ['ends\\', 'ends\\', true],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['*a*a*', 'ba', false],
    ['a**b', 'ab', true],
    ['x', '', false],
    ['*', '', true],
  ])('%s on %s: %s', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches);
  });

  it.each([
    ['a?b', 'a😀b', true],
    ['a??b', 'a😀b', false],
    ['*?b', '😀b', true],
    ['*??b', '😀b', false],
    ['?', '😀', true],
  ])('counts an emoji as one character: %s on %s', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches);
  });

  it('agrees with a regular expression', () => {
    const glob = fc
      .array(fc.constantFrom('*', '?', '\\', 'a', 'b', ':', '.', '😀'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const text = fc
      .array(fc.constantFrom('a', 'b', ':', '*', '?', '\\', '.', '😀'), { maxLength: 10 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(glob, text, (pattern, key) => {
        expect(globMatches(pattern, key)).toBe(reference(pattern).test(key));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees where the text was made to match', () => {
    const parts = fc.array(
      fc.constantFrom(['*', 'ab:'], ['*', ''], ['?', 'x'], ['?', '😀'], ['\\*', '*'], ['a', 'a']),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(parts, (list) => {
        expect(globMatches(list.map(([glob]) => glob).join(''), list.map(([, text]) => text).join(''))).toBe(true);
      }),
    );
  });

  it('takes no exponential time: one point to return to', () => {
    expect(globMatches(`${'*a'.repeat(100)}b`, 'a'.repeat(1024))).toBe(false);
  });
});
