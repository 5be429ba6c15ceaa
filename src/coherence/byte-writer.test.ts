import { describe, expect, it } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter, utf8Length } from './byte-writer.ts';

it('hands out nothing before every byte is written: the rest is memory that was used before', () => {
  const writer = new ByteWriter(3, 'INVALID_RECORD').u16(7);
  expect(() => writer.done()).toThrow(
    expect.objectContaining({ code: 'INVALID_RECORD', message: '2 bytes were written of 3.' }) as Error,
  );
  expect([...writer.u8(1).done()]).toEqual([7, 0, 1]);
});

// Short texts are written and read by loops, long ones by native code.
describe.each([1, 95, 96, 97, 5_000])('a text of %i characters', (length) => {
  it.each([
    ['of ASCII', 'a'],
    ['of others', '\u00e9'],
    ['that ends with another', 'a', '\u20ac'],
  ])('%s is as UTF-8 has it, and read back', (_what, one, last = one) => {
    const text = one.repeat(length - 1) + last;
    const bytes = Buffer.from(text);
    expect(utf8Length(text)).toBe(bytes.length);
    const written = Buffer.from(new ByteWriter(bytes.length + 2, 'INVALID_RECORD').text(text).done());
    expect(written.subarray(2)).toEqual(bytes);
    expect(new ByteReader(written, 'INVALID_RECORD').text()).toBe(text);
  });
});

it.each(['0'.repeat(31), `${'0'.repeat(31)}g`, `${'0'.repeat(31)}A`, `/${'0'.repeat(31)}`, `:${'0'.repeat(31)}`])(
  'refuses %s as the digits of an id',
  (digits) => {
    const writer = new ByteWriter(16, 'INVALID_RECORD');
    expect(() => writer.hex(digits, 16)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }) as Error);
  },
);

it('reads an id back, and zeros as none', () => {
  const id = '00112233445566778899aabbccddeeff';
  const bytes = new ByteWriter(32, 'INVALID_RECORD').hex(id, 16).zeros(16).done();
  const reader = new ByteReader(bytes, 'INVALID_RECORD');
  expect([reader.idOrZeros(), reader.idOrZeros()]).toEqual([id, undefined]);
});
