import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../coherence/errors.ts';
import type { Label } from '../coherence/label.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.ts';

interface Shown extends Omit<Envelope, 'labels' | 'payload'> {
  readonly labels: readonly string[];
  readonly payload: string;
}

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly envelope?: Shown;
  readonly error?: string;
}

// Packed by a second implementation, in another language, from the layout described in envelope.ts.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/envelopes.json', import.meta.url), 'utf8'),
) as Vector[];

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function fromShown({ labels, payload, ...rest }: Shown): Envelope {
  const halves = labels.map(
    (text): Label => ({ high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 }),
  );
  return { ...rest, labels: halves, payload: bytesOf(payload) };
}

/** The payload is a view of some buffer; what matters is its bytes. */
function plain(envelope: Envelope): Envelope {
  return { ...envelope, payload: Uint8Array.from(envelope.payload) };
}

function sample(): Envelope {
  return {
    epoch: '0123456789abcdef',
    mark: 42,
    labels: [{ high: -1, low: 2 }],
    bornAt: 1_763_690_000_123,
    ttl: 300_000,
    grace: 0,
    serializer: 1,
    compressed: false,
    payload: Uint8Array.from([1, 2, 3]),
  };
}

/** The code of what `work` refused with; `undefined` when it did not. Anything but a TidemarkError shows itself. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error);
  }
}

describe('format version 1', () => {
  it.each(vectors.filter(({ envelope }) => envelope !== undefined))('reads and writes $name', ({ hex, envelope }) => {
    const expected = fromShown(envelope as Shown);
    expect(plain(decodeEnvelope(bytesOf(hex)))).toEqual(expected);
    expect(Buffer.from(encodeEnvelope(expected)).toString('hex')).toBe(hex);
  });

  it.each(vectors.filter(({ error }) => error !== undefined))('refuses $name', ({ hex, error }) => {
    expect(() => decodeEnvelope(bytesOf(hex))).toThrow(
      expect.objectContaining({
        code: error,
        message: expect.stringMatching(/^Unreadable at byte \d+: .+\.$/) as string,
      }),
    );
  });
});

describe('what no envelope may hold is refused', () => {
  it.each<[string, Partial<Envelope>, string, string]>([
    [
      'too many labels',
      { labels: Array.from({ length: 1025 }, () => ({ high: 1, low: 1 })) },
      'INVALID_ENVELOPE',
      'An entry cannot be stored: 1025 labels are more than 1024. Give the entry fewer tags.',
    ],
    [
      'serializer',
      { serializer: 256 },
      'INVALID_ENVELOPE',
      'An entry cannot be stored: serializer 256 is not an integer from 1 to 255.',
    ],
    [
      'mark',
      { mark: 2 ** 53 },
      'POSITION_OUT_OF_RANGE',
      'Position 9007199254740992 is not an integer from 0 to 2^53 - 1.',
    ],
    ['epoch', { epoch: '' }, 'INVALID_ENVELOPE', '"" cannot be written. Give 16 lower-case hexadecimal digits.'],
    [
      'ttl',
      { ttl: Number.POSITIVE_INFINITY },
      'INVALID_ENVELOPE',
      'Infinity cannot be written. Give a finite number that is not negative.',
    ],
    ['grace', { grace: -1 }, 'INVALID_ENVELOPE', '-1 cannot be written.'],
    ['bornAt', { bornAt: Number.NaN }, 'INVALID_ENVELOPE', 'NaN cannot be written.'],
  ])('%s', (_, change, code, message) => {
    expect(() => encodeEnvelope({ ...sample(), ...change })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
    );
  });
});

describe('any envelope', () => {
  const amount = fc.double({ min: 0, max: 1e15, noNaN: true }).map(Math.abs);
  const envelopes: fc.Arbitrary<Envelope> = fc.record({
    epoch: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    mark: fc.maxSafeNat(),
    labels: fc.array(fc.record({ high: fc.integer(), low: fc.integer() }), { maxLength: 20 }),
    bornAt: amount,
    ttl: amount,
    grace: amount,
    serializer: fc.integer({ min: 1, max: 255 }),
    compressed: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 50 }),
  });

  it('comes back as it was, wherever its bytes lie in their buffer', () => {
    fc.assert(
      fc.property(envelopes, fc.nat(9), (envelope, shift) => {
        const bytes = encodeEnvelope(envelope);
        const shifted = new Uint8Array(bytes.length + 20).fill(255);
        shifted.set(bytes, shift);
        expect(plain(decodeEnvelope(shifted.subarray(shift, shift + bytes.length)))).toEqual(envelope);
      }),
      { numRuns: 300 },
    );
  });

  it('cut anywhere is refused', () => {
    fc.assert(
      fc.property(envelopes, fc.nat(), (envelope, cut) => {
        const bytes = encodeEnvelope(envelope);
        expect(() => decodeEnvelope(bytes.subarray(0, cut % bytes.length))).toThrow(
          expect.objectContaining({ code: 'INVALID_ENVELOPE' }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('of arbitrary bytes is a valid one or refused, and nothing else', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
    const damaged = fc.tuple(envelopes, changes).map(([envelope, list]) => {
      const bytes = encodeEnvelope(envelope);
      for (const [at, byte] of list) bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        const read = (): void => {
          const again = encodeEnvelope(decodeEnvelope(bytes));
          if (!Buffer.from(again).equals(bytes)) throw new Error(`read as ${Buffer.from(again).toString('hex')}`);
        };
        expect([undefined, 'INVALID_ENVELOPE']).toContain(refusal(read));
      }),
      { numRuns: 1000 },
    );
  });

  it('may have 1024 labels', () => {
    const labels = Array.from({ length: 1024 }, (_, i) => ({ high: i, low: -i | 0 }));
    expect(decodeEnvelope(encodeEnvelope({ ...sample(), labels })).labels).toEqual(labels);
  });
});
