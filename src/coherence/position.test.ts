import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from './errors.ts';
import { checkNumber, formatToken, newEpoch, parseToken, QUEUED_TOKEN, queuedToken } from './position.ts';

const epochs = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
  .map((parts) => parts.map((part) => part.toString(16).padStart(4, '0')).join(''));
const numbers = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));

/** The code of what `work` refused with; `undefined` when it did not. Anything but a TidemarkError shows itself. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error);
  }
}

describe('tokens', () => {
  it('come back as the position they were made of, and are safe in a URL', () => {
    fc.assert(
      fc.property(epochs, numbers, (epoch, number) => {
        const token = formatToken({ epoch, number });
        expect(parseToken(token)).toEqual({ epoch, number });
        expect(encodeURIComponent(token)).toBe(token);
      }),
    );
  });

  it('are for ever', () => {
    const position = { epoch: '0123456789abcdef', number: 1_763_690_000_456_789 };
    expect(formatToken(position)).toBe('1.0123456789abcdef.hd6c0158ph');
    expect(parseToken('1.0123456789abcdef.hd6c0158ph')).toEqual(position);
  });

  it('of a queued write name no position', () => {
    expect(parseToken(QUEUED_TOKEN)).toBeUndefined();
    expect(QUEUED_TOKEN).toBe('1.queued');
    expect(queuedToken('0123456789abcdef'.repeat(2))).toBe('1.queued.0123456789abcdef0123456789abcdef');
    expect(parseToken(queuedToken('0123456789abcdef'.repeat(2)))).toBeUndefined();
  });

  it.each<unknown>([
    '',
    '1',
    'queued',
    '2.queued',
    '1.queued.1',
    '1.queued.0123456789ABCDEF0123456789abcdef',
    '1.queued.',
    '2.0123456789abcdef.1',
    '1.0123456789abcdef',
    '1.0123456789abcdef.',
    '1.0123456789abcdef.-1',
    '1.0123456789abcdef.1.5',
    '1.0123456789abcde.1',
    '1.0123456789ABCDEF.1',
    '1.0123456789abcdef.zzzzzzzzzzz',
    '1.0123456789abcdef.1\n',
    ' 1.0123456789abcdef.1',
    undefined,
    null,
    7,
    ['1.queued'],
  ])('refuse %j', (token) => {
    expect(() => parseToken(token as string)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOKEN',
        message: expect.stringMatching(
          / is not a position token\. Pass on the `token` of a receipt unchanged\.$/,
        ) as string,
      }),
    );
  });

  it('of any text are positions or refused, never something between', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('1', '.', 'a', 'f', '0') })), (text) => {
        const read = (): unknown => {
          const position = parseToken(text);
          return position && parseToken(formatToken(position));
        };
        expect([undefined, 'INVALID_TOKEN']).toContain(refusal(read));
      }),
    );
  });
});

describe('checkNumber', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('accepts %d', (number) => {
    expect(checkNumber(number)).toBe(number);
  });

  it.each<unknown>([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', undefined, 1n])(
    'refuses %s',
    (number) => {
      expect(() => checkNumber(number as number)).toThrow(
        expect.objectContaining({
          code: 'POSITION_OUT_OF_RANGE',
          message: expect.stringContaining('is not an integer from 0 to 2^53 - 1. The log') as string,
        }),
      );
    },
  );
});

describe('newEpoch', () => {
  it('is 16 hexadecimal digits, whatever the random numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 4, maxLength: 4 }),
        (list) => {
          const values = [...list];
          expect(newEpoch(() => values.shift() as number)).toMatch(/^[0-9a-f]{16}$/);
        },
      ),
    );
  });

  it('uses all of its randomness', () => {
    const values = [0, 0.999_999, 0.5, 1 / 65_536];
    expect(newEpoch(() => values.shift() as number)).toBe('0000ffff80000001');
  });
});
