import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ancestors,
  pathSegments,
  canonicalKey,
  escapeSegment,
  isVersioned,
  type KeyInput,
  keyOf,
  placeOf,
  plainKey,
  segment,
} from './key.ts';

interface Vector {
  readonly input: KeyInput;
  readonly canonical: string;
  readonly segments: string[];
  readonly ancestors: string[];
  readonly plain: string;
  readonly error?: string;
}

const vectors = JSON.parse(readFileSync(new URL('../../test/vectors/keys.json', import.meta.url), 'utf8')) as Vector[];

const places = JSON.parse(readFileSync(new URL('../../test/vectors/places.json', import.meta.url), 'utf8')) as {
  readonly key: string;
  readonly version: number;
  readonly place: string;
  readonly plain: string;
}[];

const awkward = fc.string({ unit: fc.constantFrom('a', 'b', ':', '\\', '😀', ' '), maxLength: 6 });
const segments = fc.array(fc.oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 12 })), {
  minLength: 1,
  maxLength: 8,
});

/** A segment of a vector as it stands in the key: a hash keeps its mark, a text is escaped. */
const written = (part: string): string => (/^\\#(null|undefined|[\w-]{22})$/.test(part) ? part : escapeSegment(part));

/** Splits a path at its separators, another way than the code does: by hiding what is escaped. */
const apart = (path: string): string[] =>
  path
    .replaceAll('\\\\', '\u0001')
    .replaceAll('\\:', '\u0002')
    .split(':')
    .map((part) => part.replaceAll('\u0001', '\\').replaceAll('\u0002', ':'));

describe('keys', () => {
  it.each(vectors.filter(({ error }) => error === undefined))('are for ever: $canonical', (vector) => {
    const key = canonicalKey(vector.input);
    expect(key).toBe(vector.canonical);
    expect(vector.segments.map(written).join(':')).toBe(key);
    expect(ancestors(key)).toEqual(vector.ancestors);
    expect(plainKey(key)).toBe(vector.plain);
  });

  it.each(vectors.filter(({ error }) => error !== undefined))('are refused for ever, case %#', ({ input, error }) => {
    expect(() => canonicalKey(input)).toThrow(expect.objectContaining({ code: error }));
  });

  it('are the same from a path and from its segments', () => {
    expect(canonicalKey('a:b:c')).toBe(canonicalKey(['a', 'b', 'c']));
    const plain = fc.array(fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', 'é', '😀') }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(plain, (list) => {
        fc.pre(list.join(':') !== '');
        expect(canonicalKey(list.join(':'))).toBe(canonicalKey(list));
      }),
    );
  });

  it('come apart into what they were joined from, so that different segments are different keys', () => {
    fc.assert(
      fc.property(segments, (list) => {
        fc.pre(list.join('') !== '' || list.length > 1);
        const key = canonicalKey(list);
        expect(apart(key)).toEqual(list);
        expect(canonicalKey(key)).toBe(key);
        expect(ancestors(key)).toEqual(
          list.slice(1).map((_, i) =>
            list
              .slice(0, i + 1)
              .map(escapeSegment)
              .join(':'),
          ),
        );
        expect(plainKey(key)).toBe(list.join(':'));
      }),
      { numRuns: 500 },
    );
  });

  it('stay the same when they are written as a path again, whatever the path', () => {
    fc.assert(
      fc.property(awkward, (path) => {
        fc.pre(path !== '');
        expect(apart(canonicalKey(path))).toEqual(apart(path));
        expect(canonicalKey(canonicalKey(path))).toBe(canonicalKey(path));
      }),
      { numRuns: 500 },
    );
  });

  it('escape only what separates and what escapes', () => {
    expect(escapeSegment('a:b\\c*?')).toBe('a\\:b\\\\c*?');
  });
});

describe('places', () => {
  it.each(places)('are for ever: $place', ({ key, version, place, plain }) => {
    expect(placeOf(key, version)).toBe(place);
    expect(keyOf(place)).toBe(key);
    expect(plainKey(place)).toBe(plain);
  });

  it('are keys in their first version, and never in a later one', () => {
    expect(placeOf('user:42', 1)).toBe('user:42');
    expect(placeOf('user:42', 2)).toBe('\\v2:user:42');
    fc.assert(
      fc.property(segments, fc.integer({ min: 1, max: 1_000 }), (list, version) => {
        const key = canonicalKey(['x', ...list]);
        const place = placeOf(key, version);
        expect(isVersioned(place)).toBe(version > 1);
        expect(keyOf(place)).toBe(key);
        expect(plainKey(place)).toBe(plainKey(key));
        // Whatever text somebody takes for a key, it is not the place of a version.
        expect(isVersioned(canonicalKey(place))).toBe(false);
      }),
    );
  });
});

describe('bad keys', () => {
  it.each<[unknown, string]>([
    ['', 'The key "" is empty. Give it at least one character.'],
    [[], 'The key "" is empty. Give it at least one character.'],
    [
      'x'.repeat(1025),
      `The key "${'x'.repeat(59)}… (1027 characters) is longer than 1024 characters. Hash the long part, or pass it as an object argument, which is hashed.`,
    ],
    [
      Array.from({ length: 17 }, () => 'a'),
      'The key "a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a" is deeper than 16 segments. Join the lower levels into one segment.',
    ],
    ['a:\ud800', 'The key "a:\\ud800" holds half of a surrogate pair. Cut texts between characters, or encode them.'],
    [42, "The key 42 is neither a string nor an array of segments. Write 'user:42' or ['user', 42]."],
    [undefined, "The key undefined is neither a string nor an array of segments. Write 'user:42' or ['user', 42]."],
  ])('%j are refused with a reason and a cure', (input, message) => {
    expect(() => canonicalKey(input as KeyInput)).toThrow(expect.objectContaining({ code: 'INVALID_KEY', message }));
  });

  it('are not those at the limits: 1024 characters, 16 segments, escaped separators', () => {
    expect(canonicalKey('x'.repeat(1024))).toHaveLength(1024);
    expect(ancestors(canonicalKey(Array.from({ length: 16 }, () => 'a')))).toHaveLength(15);
    expect(canonicalKey(['a:'.repeat(40)])).toBe('a\\:'.repeat(40));
  });
});

describe('the segments of a path', () => {
  it('are those that it was made of', () => {
    const texts = fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(
        texts.filter((list) => list.join('') !== ''),
        (list) => {
          expect(pathSegments(canonicalKey(list))).toEqual(list);
        },
      ),
    );
  });

  it.each<[string, readonly string[]]>([
    ['user:42', ['user', '42']],
    ['file:C\\:', ['file', 'C:']],
    ['a\\b', ['a\\b']],
    ['a::b', ['a', '', 'b']],
  ])('of %s', (path, parts) => {
    expect(pathSegments(path)).toEqual(parts);
  });
});

describe('segments', () => {
  it.each<[unknown, string]>([
    ['text', 'text'],
    [42, '42'],
    [-0, '0'],
    [1e21, '1e+21'],
    [true, 'true'],
    [12n, '12'],
    [null, '\\#null'],
    [undefined, '\\#undefined'],
  ])('of %s are as they are: %s', (value, text) => {
    expect(segment(value)).toBe(text);
  });

  it('of objects are hashes: 22 characters, whatever the order of fields, without those that are undefined', () => {
    expect(segment({ b: 1, a: [true, { y: 2, x: undefined }] })).toBe(segment({ a: [true, { y: 2 }], b: 1 }));
    expect(segment({ a: 1 })).toMatch(/^\\#[\w-]{22}$/);
  });

  it('of texts are never those of hashed values', () => {
    for (const value of [null, undefined, { a: 1 }]) {
      const hashed = segment(value);
      expect(segment(hashed)).not.toBe(hashed);
      expect(segment(plainKey(hashed))).not.toBe(hashed);
      expect(canonicalKey(['q', value])).toBe(canonicalKey(canonicalKey(['q', value])));
    }
  });

  it('differ where values differ', () => {
    const date = new Date(0);
    const values = [
      {},
      [],
      { a: 1 },
      { a: '1' },
      { a: 1n },
      { a: null },
      { a: Number.NaN },
      { a: 'NaN' },
      [undefined],
      ['undefined'],
      [1, 2],
      ['1,2'],
      [[1], 2],
      { a: date },
      { a: date.toJSON() },
      { 'a":1,"b': 1 },
      { a: 1, b: 1 },
    ];
    expect(segment(Object.assign([], { length: 1 }))).not.toBe(segment([]));
    expect(new Set(values.map(segment)).size).toBe(values.length);
  });

  it('of equal objects are equal, of objects that JSON tells apart differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(segment([a])).toBe(segment([asJson(a)]));
        expect(segment([a]) === segment([b])).toBe(isDeepStrictEqual(asJson(a), asJson(b)));
      }),
    );
  });

  it('of an object without a prototype that makes its own JSON are possible', () => {
    expect(segment(Object.assign(Object.create(null) as object, { toJSON: () => 1 }))).toMatch(/^\\#/);
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a map', new Map()],
    ['a set inside', { a: new Set() }],
    ['a boxed number', Object(1)],
    ['a cycle', cycle()],
    ['nesting without end', JSON.parse('['.repeat(5_000) + ']'.repeat(5_000))],
  ])('of %s are refused', (_, value) => {
    expect(() => segment(value)).toThrow(
      expect.objectContaining({
        code: 'INVALID_KEY',
        message: expect.stringMatching(
          / has no canonical JSON, so two different values could share one key\. Give the query its own `key` that turns its arguments into strings and numbers\.$/,
        ) as string,
      }),
    );
  });

  it('may share an object, which is no cycle', () => {
    const shared = { x: 1 };
    expect(segment([shared, shared])).toBe(segment([{ x: 1 }, { x: 1 }]));
  });
});

function cycle(): object {
  const loop: { self?: unknown } = {};
  loop.self = [loop];
  return loop;
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
