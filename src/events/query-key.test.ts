import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalKey, checkKey } from '../coherence/key.ts';
import { parametersOf } from './query-key.ts';

describe('parametersOf', () => {
  it.each<[object, readonly string[]]>([
    [{}, []],
    [{ type: 'user.get' }, []],
    [{ type: 'user.get', b: 'x', a: 1, c: true, d: 5n }, ['a=1', 'b=x', 'c=true', 'd=5']],
    [{ a: 1, b: undefined }, ['a=1']],
    [{ a: 'b:c' }, ['a=b:c']],
  ])('are shown: %o', (query, parameters) => {
    expect(parametersOf(query)).toEqual(parameters);
  });

  it.each<[object]>([
    [{ a: null }],
    [{ a: {} }],
    [{ a: new Date(5) }],
    [{ a: 'x'.repeat(65) }],
    [{ a: '\ud800' }],
    [{ 'a=b': 1 }],
    [{ ['x'.repeat(33)]: 1 }],
    [JSON.parse('{"__proto__":{"a":1}}') as object],
  ])('are hashed: %o', (query) => {
    expect(parametersOf(query)).toEqual([expect.stringMatching(/^#[\w-]{22}$/)]);
  });

  it('are the same for the same, and fit into a key, whatever they are', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string()));
    const fields = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), value), {
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(fields, (list) => {
        const one = parametersOf(Object.fromEntries(list));
        expect(parametersOf(Object.fromEntries(list.toReversed()))).toEqual(one);
        expect(checkKey(canonicalKey(['query_cache', 'GetUser', ...one]))).not.toBe('');
      }),
    );
  });

  it('are never the same for others', () => {
    const small = fc.record(
      { a: fc.constantFrom('', 'x', 'x:b=y', null), b: fc.constantFrom('', 'y', null) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(small, small, (one, other) => {
        const same = (['a', 'b'] as const).every((name) => one[name] === other[name]);
        expect(canonicalKey(['q', ...parametersOf(one)]) === canonicalKey(['q', ...parametersOf(other)])).toBe(same);
      }),
    );
  });

  it('refuse a class that takes more than its fields show', () => {
    class Hidden {
      readonly #a: number;

      constructor(a: number) {
        this.#a = a;
      }

      get a(): number {
        return this.#a;
      }
    }
    expect(() => parametersOf(new Hidden(1))).toThrow('"Hidden" takes 1 arguments, and 0 of its fields can be seen');
  });
});
