import { expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';

it('hands out nothing before every byte is written: the rest is memory that was used before', () => {
  const writer = new ByteWriter(3, 'INVALID_RECORD').u16(7);
  expect(() => writer.done()).toThrow(
    expect.objectContaining({ code: 'INVALID_RECORD', message: '2 bytes were written of 3.' }) as Error,
  );
  expect([...writer.u8(1).done()]).toEqual([7, 0, 1]);
});
