import { describe, expect, it } from 'vitest';
import { keyLabel, tagLabel } from '../coherence/label.ts';
import { includesAll, LabelSets } from './label-set.ts';

describe('LabelSets', () => {
  it('has the labels of the keys above and of the tags, and not of the key itself', () => {
    const set = new LabelSets().of('a:b:c', ['x', 'y']);
    expect(set.labels).toEqual([keyLabel('a'), keyLabel('a:b'), tagLabel('x'), tagLabel('y')]);
    expect(set.tags).toEqual(['x', 'y']);
  });

  it('has no labels for a key of one segment without tags', () => {
    expect(new LabelSets().of('a', []).labels).toEqual([]);
  });

  it('takes escaped separators for text', () => {
    expect(new LabelSets().of('a\\:b:c\\\\:d', []).labels).toEqual([keyLabel('a\\:b'), keyLabel('a\\:b:c\\\\')]);
    expect(new LabelSets().of('a\\:b', []).labels).toEqual([]);
  });

  it('is made once for entries that have the same labels', () => {
    const sets = new LabelSets();
    expect(sets.of('user:1', ['org:7'])).toBe(sets.of('user:2', ['org:7']));
    expect(sets.of('user:1', ['org:7'])).not.toBe(sets.of('user:1', ['org:8']));
  });

  // A key may hold any character: with line breaks in it, one set was taken for that of another key with tags.
  it.each([
    [
      { key: 'a\nx:1', tags: [] },
      { key: 'a:1', tags: ['x'] },
    ],
    [
      { key: 'a\n\nx:1', tags: [] },
      { key: 'a:1', tags: ['x'] },
    ],
    [
      { key: 'x\n\na:1', tags: [] },
      { key: 'a:1', tags: ['x'] },
    ],
    [
      { key: '\nx:1', tags: [] },
      { key: '1', tags: ['x'] },
    ],
    [
      { key: 'a\n:1', tags: ['x'] },
      { key: '1', tags: ['x', 'a'] },
    ],
    [
      { key: 'a\ny:1', tags: ['x'] },
      { key: 'a:1', tags: ['x', 'y'] },
    ],
    [
      { key: 'y\n\na:1', tags: ['x'] },
      { key: 'a:1', tags: ['x', 'y'] },
    ],
  ])('tells line breaks in keys from tags: %j and %j', (one, other) => {
    const sets = new LabelSets();
    sets.of(one.key, one.tags);
    expect(sets.of(other.key, other.tags)).toEqual(new LabelSets().of(other.key, other.tags));
    const turned = new LabelSets();
    turned.of(other.key, other.tags);
    expect(turned.of(one.key, one.tags)).toEqual(new LabelSets().of(one.key, one.tags));
  });

  it('unites two sets, and returns the first where it has everything', () => {
    const sets = new LabelSets();
    const some = sets.of('a:b', ['x']);
    const all = sets.unite(some, sets.of('a:b', ['y', 'x']));
    expect(all.labels).toEqual([keyLabel('a'), tagLabel('x'), tagLabel('y')]);
    expect(all.tags).toEqual(['x', 'y']);
    expect(sets.unite(all, some)).toBe(all);
  });

  it('learns tags whose labels it has already', () => {
    const sets = new LabelSets();
    const fromStore = { labels: [tagLabel('x')], tags: [] };
    expect(sets.unite(fromStore, sets.of('a', ['x']))).toEqual({ labels: [tagLabel('x')], tags: ['x'] });
  });
});

describe('includesAll', () => {
  it('asks for every tag', () => {
    expect(includesAll(['a', 'b'], ['b'])).toBe(true);
    expect(includesAll(['a', 'b'], [])).toBe(true);
    expect(includesAll(['a', 'b'], ['b', 'c'])).toBe(false);
  });
});
