import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from './errors.ts';
import type { Label } from './label.ts';
import type { Draft, LogRecord, Lsn, RecordKind } from './record.ts';
import { type Decoded, decodeRecord, encodeDraft, encodeRecord, NUMBER_OFFSET, PREV_OFFSET } from './wire.ts';

interface Shown extends Omit<LogRecord, 'labels' | 'lsn'> {
  readonly labels: readonly string[];
  readonly lsn?: string;
}

/** `readOnly`: bytes that must be read, though this release would not write them. */
interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly record?: Shown;
  readonly readOnly?: true;
  readonly unreadable?: true;
  readonly number?: number;
  readonly prev?: number;
  readonly error?: string;
}

// Packed by a second implementation, in another language, from the layout described in wire.ts.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/records.json', import.meta.url), 'utf8'),
) as Vector[];

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fromShown({ labels, lsn, ...rest }: Shown): LogRecord {
  const halves = labels.map(
    (text): Label => ({ high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 }),
  );
  const bound: { lsn?: Lsn } = lsn === undefined ? {} : { lsn: lsn === 'unknown' ? lsn : BigInt(lsn) };
  return { ...rest, ...bound, labels: halves };
}

function everythingAt(number: number, prev: number): LogRecord {
  return {
    kind: 'everything',
    id: '0'.repeat(32),
    origin: '',
    labels: [],
    patterns: [],
    lsn: 'unknown',
    time: 0,
    number,
    prev,
  };
}

describe('format version 1', () => {
  it.each(vectors.filter(({ record }) => record !== undefined))('reads $name', ({ hex, record, readOnly }) => {
    const expected = fromShown(record as Shown);
    expect(decodeRecord(bytesOf(hex))).toEqual({ record: expected });
    expect(readOnly ? hex : hexOf(encodeRecord(expected))).toBe(hex);
  });

  it.each(vectors.filter(({ unreadable }) => unreadable))('takes $name for everything', ({ hex, number, prev }) => {
    const { record, unreadable } = decodeRecord(bytesOf(hex));
    expect(record).toEqual(everythingAt(number as number, prev as number));
    expect(unreadable).toMatchObject({
      code: 'INVALID_RECORD',
      message: expect.stringContaining(
        `The record at ${number} cannot be read and covers everything. Unreadable at byte `,
      ) as string,
    });
  });

  it.each(vectors.filter(({ error }) => error !== undefined))('cannot place $name', ({ hex, error }) => {
    expect(() => decodeRecord(bytesOf(hex))).toThrow(expect.objectContaining({ code: error }));
  });

  it('says what could not be read, and what to do', () => {
    const bytes = encodeRecord(sample());
    bytes[0] = 2;
    expect(decodeRecord(bytes).unreadable?.message).toBe(
      'The record at 7 cannot be read and covers everything. Unreadable at byte 20: format version 2 is unknown. A newer release wrote it (upgrade this node), or it is damaged.',
    );
  });
});

describe('a draft', () => {
  it('is a record once a server has written its numbers at their offsets', () => {
    const bytes = encodeDraft(sample());
    expect(hexOf(bytes.subarray(NUMBER_OFFSET, NUMBER_OFFSET + 16))).toBe('0'.repeat(32));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setFloat64(NUMBER_OFFSET, 1_763_690_000_456_789, true);
    view.setFloat64(PREV_OFFSET, 1_763_690_000_456_788, true);
    expect(decodeRecord(bytes).record).toEqual({
      ...sample(),
      number: 1_763_690_000_456_789,
      prev: 1_763_690_000_456_788,
    });
  });
});

describe('what no record may hold is refused', () => {
  it.each<[string, Partial<LogRecord>, string, string]>([
    [
      'kind',
      { kind: 'flush' as RecordKind },
      'INVALID_RECORD',
      'record kind: "flush" cannot be sent. Give one of invalidate, everything, announce, close, floor.',
    ],
    ['short id', { id: 'abc' }, 'INVALID_RECORD', '"abc" cannot be written. Give 32 lower-case hexadecimal digits.'],
    [
      'id of zeros',
      { id: '0'.repeat(32) },
      'INVALID_RECORD',
      `record id: "${'0'.repeat(32)}" cannot be sent. Give 16 random bytes.`,
    ],
    [
      'closes of zeros',
      { closes: '0'.repeat(32) },
      'INVALID_RECORD',
      `record closes: "${'0'.repeat(32)}" cannot be sent. Leave it out, or give the id of an announcement.`,
    ],
    ['upper-case id', { id: 'A'.repeat(32) }, 'INVALID_RECORD', 'lower-case hexadecimal digits'],
    [
      'floor without a number',
      { kind: 'floor' },
      'INVALID_RECORD',
      'record floor: undefined cannot be sent. Give the number to raise it to.',
    ],
    [
      'floor that is no position',
      { kind: 'floor', floor: 0.5 },
      'POSITION_OUT_OF_RANGE',
      'Position 0.5 is not an integer',
    ],
    ['number', { number: 2 ** 53 }, 'POSITION_OUT_OF_RANGE', 'Position 9007199254740992 is not an integer'],
    ['prev', { prev: Number.NaN }, 'POSITION_OUT_OF_RANGE', 'Position NaN is not an integer'],
    ['negative lsn', { lsn: -1n }, 'INVALID_RECORD', '-1 cannot be written. Give an LSN of 64 bits.'],
    ['lsn of 65 bits', { lsn: 2n ** 64n }, 'INVALID_RECORD', 'Give an LSN of 64 bits.'],
    [
      'pattern that UTF-8 changes',
      { patterns: ['a\ud800'] },
      'INVALID_RECORD',
      '"a\\ud800" cannot be written. Give a well-formed text of at most 65535 bytes.',
    ],
    [
      'origin that is too long',
      { origin: 'é'.repeat(32_768) },
      'INVALID_RECORD',
      'Give a well-formed text of at most 65535 bytes.',
    ],
  ])('%s', (_, change, code, message) => {
    expect(() => encodeRecord({ ...sample(), ...change })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
    );
  });
});

describe('any record', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(records(), (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual({ record });
      }),
      { numRuns: 500 },
    );
  });

  it('is read wherever its bytes lie in their buffer', () => {
    const bytes = encodeRecord(sample());
    const shifted = new Uint8Array(bytes.length + 8).fill(255);
    shifted.set(bytes, 5);
    expect(decodeRecord(shifted.subarray(5, 5 + bytes.length)).record).toEqual(sample());
  });

  it('cut anywhere covers everything, has lost extensions only, or has no place', () => {
    fc.assert(
      fc.property(records(), fc.nat(), (record, cut) => {
        const bytes = encodeRecord(record);
        const short = bytes.subarray(0, cut % bytes.length);
        expect(harmless(taken(short), short.length, record)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('with any bytes changed is read, covers everything, or has no place', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(records(), changes, (record, list) => {
        const bytes = encodeRecord(record);
        for (const [at, byte] of list) bytes[at % bytes.length] = byte;
        expect(() => taken(bytes)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('made of arbitrary bytes never does anything else, however long its counts claim to be', () => {
    const header = fc.constantFrom('', '0101000000000000000000000000000000000000');
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
        expect(() => taken(new Uint8Array([...bytesOf(start), ...bytes]))).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

/** How bytes were taken: as a record, as everything, or as nothing that has a place in the log. */
function taken(bytes: Uint8Array): Decoded | 'no place' {
  try {
    const decoded = decodeRecord(bytes);
    const { number, prev, kind } = decoded.record;
    if (!Number.isSafeInteger(number) || !Number.isSafeInteger(prev)) throw new Error(`placed at ${number}, ${prev}`);
    if (decoded.unreadable && kind !== 'everything') throw new Error(`unreadable, and only ${kind}`);
    return decoded;
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'INVALID_RECORD') return 'no place';
    throw error;
  }
}

/** What a record cut to `length` bytes may be taken for. */
function harmless(decoded: Decoded | 'no place', length: number, whole: LogRecord): boolean {
  if (decoded === 'no place') return length < 20;
  if (decoded.unreadable) return isDeepStrictEqual(decoded.record, everythingAt(whole.number, whole.prev));
  return isDeepStrictEqual(withoutExtensions(decoded.record), withoutExtensions(whole));
}

function withoutExtensions(record: LogRecord): unknown {
  const extensions = ['targets', 'cause', 'lsnAfter'];
  const fields = Object.entries(record).filter(([name, value]) => !extensions.includes(name) && value !== undefined);
  return Object.fromEntries(fields);
}

function sample(): LogRecord {
  return {
    kind: 'invalidate',
    id: '00112233445566778899aabbccddeeff',
    origin: 'orders#1',
    labels: [{ high: -1, low: 2 }],
    patterns: ['a:*'],
    time: 5,
    number: 7,
    prev: 6,
    targets: ['pattern a:*'],
  };
}

function records(): fc.Arbitrary<LogRecord> {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => hexOf(bytes.fill(1, 0, 1)));
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const draft: fc.Arbitrary<Draft> = fc.record(
    {
      kind: fc.constantFrom<RecordKind>('invalidate', 'everything', 'announce', 'close', 'floor'),
      id,
      origin: text,
      labels: fc.array(fc.record({ high: fc.integer(), low: fc.integer() }, { noNullPrototype: true })),
      patterns: fc.array(text),
      closes: id,
      floor: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      lsn: fc.oneof(fc.constant('unknown' as const), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      time: fc.oneof(fc.maxSafeNat(), fc.double({ noDefaultInfinity: true, noNaN: true })),
      targets: fc.array(text),
      cause: fc.record(
        { event: text, entityId: text, fields: fc.dictionary(text, text, { noNullPrototype: true }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['kind', 'id', 'origin', 'labels', 'patterns', 'time'] },
  );
  return fc.tuple(draft, fc.maxSafeNat(), fc.maxSafeNat()).map(([made, number, prev]) => ({
    ...made,
    ...(made.kind === 'floor' ? { floor: made.floor ?? 0 } : {}),
    number,
    prev,
  }));
}
