import { describe, expect, it } from 'vitest';
import { keyLabel, entryLabels } from './label.ts';
import { Reach } from './reach.ts';
import { everything, key, pattern, type Target, tag } from './target.ts';

function covers(targets: readonly Target[], name: string, tags: readonly string[] = []): boolean {
  const [, ...shared] = entryLabels(name, tags);
  return new Reach(targets).covers({ ...keyLabel(name), shared }, name);
}

describe('Reach', () => {
  it.each<[Target[], boolean]>([
    [[key('a:b:c')], true],
    [[key('a', 'b')], true],
    [[key('a')], true],
    [[key('a:b:c:d')], false],
    [[key('b')], false],
    [[tag('t')], true],
    [[tag('a')], false],
    [[pattern('a:*')], true],
    [[pattern('*:b')], false],
    [[key('x'), tag('y'), pattern('a:b:?')], true],
    [[everything()], true],
    [[], false],
  ])('%j covers a:b:c with the tag t: %s', (targets, expected) => {
    expect(covers(targets, 'a:b:c', ['t'])).toBe(expected);
  });

  it('takes both readings of a colon in the first argument', () => {
    expect(covers([key('a:b', 'c')], 'a:b:c')).toBe(true);
    expect(covers([key('a:b', 'c')], 'a\\:b:c')).toBe(true);
    expect(covers([key('a:b', 'c')], 'a:b')).toBe(false);
  });

  it('matches patterns against keys without their escapes, as bans do', () => {
    expect(covers([pattern('a:b:c')], 'a\\:b:c')).toBe(true);
  });

  it('tells labels apart that share their first half', () => {
    const own = keyLabel('a');
    const alike = { high: own.high, low: own.low + 1, shared: [] };
    expect(new Reach([key('a')]).covers({ ...own, shared: [] }, 'a')).toBe(true);
    expect(new Reach([key('a')]).covers(alike, 'b')).toBe(false);
  });
});
