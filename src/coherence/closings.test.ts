import { describe, expect, it } from 'vitest';
import { Closings } from './closings.ts';
import { keyLabel, tagLabel } from './label.ts';

const marked = (mark: number) => ({ ...keyLabel('a:b'), mark, shared: [keyLabel('a'), tagLabel('t')] });

describe('closings', () => {
  it.each([
    ['its key', { labels: [keyLabel('a:b')], patterns: [] }],
    ['a key above', { labels: [keyLabel('a')], patterns: [] }],
    ['a tag', { labels: [tagLabel('t')], patterns: [] }],
    ['any pattern', { labels: [], patterns: ['x*'] }],
  ])('cover what was marked before one that names %s, and nothing later', (_what, named) => {
    const closings = new Closings();
    expect(closings.cover(marked(4))).toBe(false);
    closings.add(named, 5);
    expect(closings.cover(marked(4))).toBe(true);
    expect(closings.cover(marked(5))).toBe(false);
  });

  it('do not cover what they do not name', () => {
    const closings = new Closings();
    closings.add({ labels: [keyLabel('other')], patterns: [] }, 5);
    expect(closings.cover(marked(4))).toBe(false);
  });

  it('cover everything from before records that were skipped', () => {
    const closings = new Closings();
    closings.skip(5);
    expect([marked(4), marked(5)].map((it) => closings.cover(it))).toEqual([true, false]);
  });

  it('cover what has no mark', () => {
    const closings = new Closings();
    expect(closings.cover(marked(Number.NaN))).toBe(true);
  });
});
