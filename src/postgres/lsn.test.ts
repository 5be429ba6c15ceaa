import { expect, it } from 'vitest';
import { formatLsn, parseLsn } from './lsn.ts';

it('reads both spellings of Postgres, and writes the one that it reads as a pg_lsn', () => {
  for (const [text, lsn] of [
    ['0/0', 0n],
    ['0/16B3748', 0x16b3748n],
    ['00000000/016B3748', 0x16b3748n],
    ['1a/ff', 0x1a_0000_00ffn],
    ['FFFFFFFF/FFFFFFFF', 2n ** 64n - 1n],
  ] as const) {
    expect(parseLsn(text)).toBe(lsn);
    expect(parseLsn(formatLsn(lsn))).toBe(lsn);
  }
  expect(formatLsn(0x1a_0000_00ffn)).toBe('1A/FF');
});

it.each(['', '0', '0/', '/0', '0/0/0', '123456789/0', '0/123456789', '0/xyz', ' 0/0', 0, 5n, undefined, null])(
  'refuses %s',
  (text) => {
    expect(() => parseLsn(text)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
  },
);
