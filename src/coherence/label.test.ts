import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryLabels, keyLabel, labelText, sameLabel, tagLabel, uniteLabels } from './label.ts';

interface Vector {
  readonly kind: 'key' | 'tag';
  readonly text: string;
  readonly label: string;
}

// Made by a second implementation in another language, checked against the value that SMHasher publishes for the hash.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/labels.json', import.meta.url), 'utf8'),
) as Vector[];

describe('labels', () => {
  it.each(vectors)('are for ever: $kind $label', ({ kind, text, label }) => {
    expect(labelText(kind === 'key' ? keyLabel(text) : tagLabel(text))).toBe(label);
  });

  it('differ between a key and a tag of the same text', () => {
    expect(sameLabel(keyLabel('user:42'), tagLabel('user:42'))).toBe(false);
  });

  it('of an entry are its key, the keys above it, outermost first, and its tags', () => {
    expect(entryLabels('a:b\\:c:d', ['org:7', 'x'])).toEqual([
      keyLabel('a:b\\:c:d'),
      keyLabel('a'),
      keyLabel('a:b\\:c'),
      tagLabel('org:7'),
      tagLabel('x'),
    ]);
    expect(entryLabels('a', [])).toEqual([keyLabel('a')]);
  });

  it('are the same when both halves are', () => {
    expect(sameLabel({ high: 1, low: 2 }, { high: 1, low: 2 })).toBe(true);
    expect(sameLabel({ high: 1, low: 2 }, { high: 1, low: 3 })).toBe(false);
    expect(sameLabel({ high: 1, low: 2 }, { high: 0, low: 2 })).toBe(false);
  });

  it('unite without repeating one, and without a copy where nothing is new', () => {
    const some = [keyLabel('a'), tagLabel('t')];
    expect(uniteLabels(some, [tagLabel('t'), tagLabel('u')])).toEqual([...some, tagLabel('u')]);
    expect(uniteLabels(some, [tagLabel('t')])).toBe(some);
  });

  it('have a text of 16 digits, whatever their signs', () => {
    expect(labelText({ high: -1, low: 5 })).toBe('ffffffff00000005');
  });
});
