import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ban, Bans } from './bans.ts';
import { globMatches } from './glob.ts';

function bans(...list: [number, string][]): Bans {
  const made = new Bans();
  for (const [number, pattern] of list) made.add({ number, pattern, time: 0 });
  return made;
}

describe('Bans', () => {
  it('cover what was marked before them and matches', () => {
    const list = bans([10, 'user:*']);
    expect(list.cover(9, 'user:42')).toBe(true);
    expect(list.cover(10, 'user:42')).toBe(false);
    expect(list.cover(9, 'post:1')).toBe(false);
  });

  it('refuse a mark that is no number, where the pattern matches', () => {
    expect(bans([10, 'user:*']).cover(Number.NaN, 'user:42')).toBe(true);
  });

  it('stand in the order of positions, however they came, each once', () => {
    const list = bans([30, 'c'], [10, 'a'], [20, 'b'], [10, 'a'], [10, 'b']);
    expect(list.list().map(({ number, pattern }) => `${number}${pattern}`)).toEqual(['10a', '10b', '20b', '30c']);
    expect(list.size).toBe(4);
  });

  it('retire up to a floor, and not before', () => {
    const list = bans([10, 'a*'], [20, 'b*'], [30, 'c*']);
    list.retire(9);
    expect(list.size).toBe(3);
    list.retire(20);
    expect(list.list().map(({ number }) => number)).toEqual([30]);
    list.clear();
    expect(list.size).toBe(0);
  });

  it('find what a plain walk over all of them finds', () => {
    const ban = fc.record({
      number: fc.integer({ min: 1, max: 20 }),
      pattern: fc.constantFrom('a*', '*b', '?', 'ab', 'x\\*'),
      time: fc.constant(0),
    });
    fc.assert(
      fc.property(
        fc.array(ban),
        fc.integer({ min: 0, max: 21 }),
        fc.constantFrom('a', 'b', 'ab', 'x*', 'c'),
        (list, mark, text) => {
          const made = new Bans();
          for (const banned of list) made.add(banned);
          const covered = (banned: Ban): boolean => banned.number > mark && globMatches(banned.pattern, text);
          expect(made.cover(mark, text)).toBe(list.some(covered));
        },
      ),
    );
  });
});
