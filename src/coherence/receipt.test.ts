import { describe, expect, it } from 'vitest';
import { QUEUED_TOKEN } from './position.ts';
import { positionOf, receiptOf } from './receipt.ts';

const position = { epoch: '0123456789abcdef', number: 36 };

describe('receiptOf', () => {
  it('carries the token of its position', () => {
    expect(receiptOf('applied', position)).toEqual({ status: 'applied', token: '1.0123456789abcdef.10' });
  });

  it('carries the token that every reader answers from the source where there is no position', () => {
    expect(receiptOf('queued', undefined)).toEqual({ status: 'queued', token: QUEUED_TOKEN });
  });

  it('cannot be changed by those who share it', () => {
    expect(Object.isFrozen(receiptOf('appended', position))).toBe(true);
  });
});

describe('positionOf', () => {
  it('reads a token, or the receipt that it came in', () => {
    const receipt = receiptOf('applied', position);
    expect(positionOf(receipt)).toEqual(position);
    expect(positionOf(receipt.token)).toEqual(position);
  });

  it('has none for a queued write', () => {
    expect(positionOf(receiptOf('queued', undefined))).toBeUndefined();
  });

  it.each(['', 'nonsense', '1.0123456789abcdef', '2.0123456789abcdef.10'])(
    'refuses %j, and says what to do',
    (token) => {
      expect(() => positionOf(token)).toThrow(
        expect.objectContaining({ code: 'INVALID_TOKEN', message: expect.stringContaining('Pass on the `token`') }),
      );
    },
  );
});
