import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from './errors.ts';
import { canonicalKey } from './key.ts';
import { describeTarget, everything, isTarget, key, pattern, tag } from './target.ts';

describe('key', () => {
  it('takes one argument as getOrSet does: a path, or segments', () => {
    expect(key('user:42')).toEqual(key(['user', 42]));
    expect(key('user:42')).toMatchObject({ kind: 'key', key: 'user:42' });
    expect(key(42)).toMatchObject({ key: '42' });
  });

  it('takes each of several arguments as one segment', () => {
    expect(key('user', 42)).toEqual(key('user:42'));
    expect(key('user', { id: 1 })).toMatchObject({ key: canonicalKey(['user', { id: 1 }]) });
  });

  it('covers both readings where the first of several could be a path', () => {
    expect(key('a:b', 'c')).toMatchObject({ key: 'a:b:c', literal: 'a\\:b:c' });
    expect(key(['a:b', 'c:d'])).toMatchObject({ key: 'a:b:c\\:d', literal: 'a\\:b:c\\:d' });
    expect(key('a:b')).not.toHaveProperty('literal');
    expect(key('a', 'b:c')).not.toHaveProperty('literal');
  });

  it('refuses what no key may be', () => {
    expect(() => key('')).toThrow('The key "" is empty.');
    expect(() => key('a', Symbol('s'))).toThrow('The key Symbol(s) has no canonical JSON');
  });
});

describe('tag', () => {
  it.each(['org:ORG1', 'x', 'größe 😀', 'y'.repeat(256), '*'])('accepts %j', (name) => {
    expect(tag(name)).toMatchObject({ kind: 'tag', tag: name });
  });

  it.each<[unknown, string]>([
    ['', '""'],
    ['a\nb', '"a\\nb"'],
    ['\u0000', '"\\u0000"'],
    ['a\u007f', '"a\u007f"'],
    ['a\u0085', '"a\u0085"'],
    ['y'.repeat(257), `"${'y'.repeat(59)}… (259 characters)`],
    [7, '7'],
    [undefined, 'undefined'],
  ])('refuses %j', (name, shown) => {
    expect(() => tag(name as string)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TAG',
        message: `The tag ${shown} is not a text of 1 to 256 characters without control characters. Strip them, or shorten it.`,
      }),
    );
  });
});

describe('pattern', () => {
  it.each(['query_cache:*User*:*', 'availability:*', '*:*', '??*', 'a', '\\*', '?', 'z'.repeat(256)])(
    'accepts %j',
    (glob) => {
      expect(pattern(glob)).toMatchObject({ kind: 'pattern', pattern: glob });
    },
  );

  it.each(['*', '**', '*?', '?*', '**?*'])('refuses %j: everything must be asked for', (glob) => {
    expect(() => pattern(glob)).toThrow(
      expect.objectContaining({
        code: 'INVALID_PATTERN',
        message: `The pattern "${glob}" matches every key. If that is meant, use everything().`,
      }),
    );
  });

  it.each<[unknown, string]>([
    ['', '""'],
    ['a\u0000*', '"a\\u0000*"'],
    ['a\ud800*', '"a\\ud800*"'],
    ['z'.repeat(257), `"${'z'.repeat(59)}… (259 characters)`],
    [7, '7'],
  ])('refuses %j', (glob, shown) => {
    expect(() => pattern(glob as string)).toThrow(
      expect.objectContaining({
        code: 'INVALID_PATTERN',
        message: `The pattern ${shown} is not a text of 1 to 256 characters without control characters or halves of surrogate pairs. Correct or shorten it.`,
      }),
    );
  });
});

/** The code of what `work` refused with; `undefined` when it did not. Anything but a TidemarkError shows itself. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error);
  }
}

describe('targets', () => {
  const made = [key('user:42'), tag('org:7'), pattern('a:*'), everything()];

  it('are told from anything else', () => {
    expect(made.every(isTarget)).toBe(true);
    for (const other of [
      'user:42',
      null,
      undefined,
      { kind: 'key', key: 'user:42' },
      [],
      JSON.parse(JSON.stringify(made[0])),
    ]) {
      expect(isTarget(other)).toBe(false);
    }
  });

  it('cannot be changed', () => {
    expect(made.every((target) => Object.isFrozen(target))).toBe(true);
  });

  it('read as people write them', () => {
    expect(made.map(describeTarget)).toEqual(['key user:42', 'tag org:7', 'pattern a:*', 'everything']);
  });

  it('are made or refused with a code, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const make of [key, tag, pattern]) {
          expect([undefined, 'INVALID_KEY', 'INVALID_TAG', 'INVALID_PATTERN']).toContain(refusal(() => make(text)));
        }
      }),
    );
  });
});
