import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../coherence/errors.ts';
import { json, msgpack, type Serializer, type SerializerOption, serializersOf } from './serializer.ts';

function roundTrip(serializer: Serializer, value: unknown): unknown {
  return serializer.decode(serializer.encode(value));
}

function errorOf(work: () => unknown): TidemarkError {
  try {
    work();
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function cycle(): { name: string; self?: unknown } {
  const loop: { name: string; self?: unknown } = { name: 'loop' };
  loop.self = loop;
  return loop;
}

const CURE =
  "Return plain data from the loader, choose `serializer: 'msgpack'` (dates, maps, sets, bigints, cycles), or give your own.";

/** The code of what `work` refused with; `undefined` when it did not. Anything but a TidemarkError shows itself. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error);
  }
}

describe('json', () => {
  it.each([0, '', false, null, 'text', [1, null], { a: { b: [] } }, 1.5, '\ud800', 'é😀'])(
    'brings %j back',
    (value) => {
      expect(roundTrip(json(), value)).toEqual(value);
    },
  );

  it('brings any JSON value back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(roundTrip(json(), value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('converts as JSON.stringify does: dates become texts, undefined fields vanish', () => {
    class Point {
      x = 1;
      at = new Date(0);
      none = undefined;
      length(): number {
        return this.x;
      }
    }
    expect(roundTrip(json(), new Point())).toEqual({ x: 1, at: '1970-01-01T00:00:00.000Z' });
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'value is undefined'],
    ['a function', () => 1, 'value is a function'],
    ['a symbol', Symbol('s'), 'value is a symbol'],
    ['a function inside', { rows: [{}, { done: () => 1 }] }, 'value.rows.1.done is a function'],
    ['a symbol inside', [Symbol('s')], 'value.0 is a symbol'],
    ['a map', new Map(), 'value is a Map'],
    ['a set inside', { tags: new Set() }, 'value.tags is a Set'],
    ['a promise inside: somebody forgot to await', { user: Promise.resolve() }, 'value.user is a Promise'],
    ['a bigint', { id: 1n }, 'Do not know how to serialize a BigInt'],
    ['a cycle', cycle(), 'Converting circular structure to JSON'],
  ])('refuses %s', (_, value, problem) => {
    const error = errorOf(() => json().encode(value));
    expect(error).toMatchObject({
      code: 'UNSERIALISABLE',
      message: `The value cannot be stored by JSON: ${problem}. ${CURE}`,
    });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it('trusts an object that makes its own JSON', () => {
    expect(roundTrip(json(), { own: { toJSON: () => 5, helper: () => 1 } })).toEqual({ own: 5 });
  });

  it('refuses bytes that are no JSON', () => {
    expect(errorOf(() => json().decode(Buffer.from('{"a":')))).toMatchObject({
      code: 'INVALID_ENVELOPE',
      message: expect.stringMatching(/^A stored value cannot be read by JSON: .+\.$/) as string,
      cause: expect.any(SyntaxError) as Error,
    });
  });
});

describe('msgpack', () => {
  it.each<[string, unknown]>([
    ['zero', 0],
    ['an empty text', ''],
    ['false', false],
    ['null', null],
    ['NaN', Number.NaN],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['a date', { at: new Date(1_763_690_000_123) }],
    [
      'a map, with objects as keys',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Map()],
      ]),
    ],
    ['a set', { tags: new Set([1, 'b']) }],
    ['a small bigint', 12n],
    ['a large bigint', [2n ** 70n, -(2n ** 63n)]],
    ['an undefined field', { a: undefined }],
    ['typed arrays', { bytes: Uint8Array.from([1, 2]), floats: Float64Array.from([1.5]) }],
    [
      'nested rows',
      [
        { id: 1, tags: ['a'] },
        { id: 2, tags: [] },
      ],
    ],
    ['a cycle', cycle()],
  ])('brings %s back', (_, value) => {
    expect(roundTrip(msgpack(), value)).toStrictEqual(value);
  });

  it('brings any plain data back, read by an instance that never wrote', () => {
    const writer = msgpack();
    const value = fc.object({
      key: fc.string({ unit: 'binary' }),
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      maxDepth: 3,
    });
    fc.assert(
      fc.property(value, (data) => {
        fc.pre(!hasOddities(data));
        expect(msgpack().decode(writer.encode(data))).toEqual(data);
      }),
      { numRuns: 200 },
    );
  });

  it('gives bytes of its own: changing a value that was read does not change what is stored', () => {
    const stored = msgpack().encode({ bytes: Buffer.from([1, 2, 3]), typed: Uint8Array.from([4]) });
    const copy = Uint8Array.from(stored);
    const value = msgpack().decode(stored) as { bytes: Uint8Array; typed: Uint8Array };
    value.bytes.fill(9);
    value.typed.fill(9);
    expect(Uint8Array.from(stored)).toEqual(copy);
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'value is undefined'],
    ['a function', () => 1, 'value holds a function'],
    ['a function inside', { a: [() => 1] }, 'value holds a function'],
    ['a symbol', { a: Symbol('s') }, 'Unknown type: symbol'],
  ])('refuses %s, and works on afterwards', (_, value, problem) => {
    const serializer = msgpack();
    const error = errorOf(() => serializer.encode(value));
    expect(error).toMatchObject({
      code: 'UNSERIALISABLE',
      message: `The value cannot be stored by MessagePack: ${problem}. ${CURE}`,
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(roundTrip(serializer, { a: [1, { b: 2 }] })).toEqual({ a: [1, { b: 2 }] });
  });

  it('refuses arbitrary bytes or reads them, and nothing else', () => {
    const serializer = msgpack();
    const hostile = fc.constantFrom(
      [],
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff],
      [0xc9, 0xff, 0xff, 0xff, 0xff],
    );
    fc.assert(
      fc.property(hostile, fc.uint8Array({ maxLength: 40 }), (start, rest) => {
        const bytes = Uint8Array.from([...start, ...rest]);
        expect([undefined, 'INVALID_ENVELOPE']).toContain(refusal(() => serializer.decode(bytes)));
      }),
      { numRuns: 500 },
    );
    expect(roundTrip(serializer, { a: 1 })).toEqual({ a: 1 });
  });
});

/** What MessagePack as packed here does not keep: minus zero, invalid dates, a field named `__proto__`. */
function hasOddities(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  if (value instanceof Date) return Number.isNaN(value.getTime());
  if (value instanceof Map || value instanceof Set) return [...value].some(hasOddities);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, item]) => name === '__proto__' || hasOddities(item));
}

describe('serializersOf', () => {
  const own: Serializer = {
    id: 16,
    encode: (value) => Buffer.from(String(value)),
    decode: (bytes) => Buffer.from(bytes).toString(),
  };

  it('writes with the first and reads with all', () => {
    expect(serializersOf().map(({ id }) => id)).toEqual([1, 2]);
    expect(serializersOf('msgpack').map(({ id }) => id)).toEqual([2, 1]);
    expect(serializersOf(own).map(({ id }) => id)).toEqual([16, 1, 2]);
    expect(roundTrip(serializersOf(own)[0], 7)).toBe('7');
  });

  it.each([0, 15, 256, 16.5, Number.NaN, undefined])('refuses an own serializer with the id %s', (id) => {
    expect(errorOf(() => serializersOf({ ...own, id: id as number }))).toMatchObject({
      code: 'INVALID_OPTION',
      message: `serializer.id: ${id} is not an integer from 16 to 255.`,
    });
  });

  it.each<[unknown, string]>([
    ['yaml', '"yaml"'],
    [null, 'null'],
    [{ id: 16, encode: () => new Uint8Array() }, '[object Object]'],
  ])('refuses %j', (option, shown) => {
    expect(errorOf(() => serializersOf(option as SerializerOption))).toMatchObject({
      code: 'INVALID_OPTION',
      message: `serializer: ${shown} is none. Give 'json', 'msgpack' or { id, encode, decode }.`,
    });
  });

  it('keeps what an own serializer throws as the cause', () => {
    const cause = new Error('no such field');
    const failing = (): never => {
      throw cause;
    };
    const [serializer] = serializersOf({ id: 200, encode: failing, decode: failing });
    expect(errorOf(() => serializer.encode(1))).toMatchObject({
      code: 'UNSERIALISABLE',
      cause,
      message: expect.stringContaining('by your serializer: no such field.') as string,
    });
    expect(errorOf(() => serializer.decode(new Uint8Array()))).toMatchObject({ code: 'INVALID_ENVELOPE', cause });
  });

  it('refuses an own serializer that returns no bytes', () => {
    const [serializer] = serializersOf({ ...own, encode: () => 'text' as unknown as Uint8Array });
    expect(errorOf(() => serializer.encode(1)).message).toContain('encode returned "text" instead of a Uint8Array');
  });
});
