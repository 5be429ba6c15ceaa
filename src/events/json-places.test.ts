import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPlaces } from './json-places.ts';

/** Every path in a value, and the value there. */
function* paths(value: unknown, path: (string | number)[] = []): Generator<[(string | number)[], unknown]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    yield* paths(inner, [...path, Array.isArray(value) ? Number(name) : name]);
}

describe('jsonPlaces', () => {
  it('finds every value of any JSON, and no name twice', () => {
    const space = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(fc.jsonValue(), space, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const { offsets, repeated } = jsonPlaces(text);
        expect(repeated).toEqual([]);
        const again = JSON.parse(text) as unknown;
        for (const [path, inner] of paths(again)) {
          const offset = offsets.get(JSON.stringify(path));
          const last = path.at(-1);
          const begin = typeof last === 'string' ? `${JSON.stringify(last)}:` : start(inner);
          expect(text.slice(offset).startsWith(begin)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds names that stand twice in one object, however they are written', () => {
    expect(
      jsonPlaces('{ "a": { "b": 1, "b": 2 }, "c": [{ "d": 1 }, { "d": 1, "\\u0064": 2 }], "a": 3 }').repeated,
    ).toEqual([['a', 'b'], ['c', 1, 'd'], ['a']]);
  });
});

function start(value: unknown): string {
  if (Array.isArray(value)) return '[';
  return typeof value === 'object' && value !== null ? '{' : JSON.stringify(value);
}
