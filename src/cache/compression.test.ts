import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress, decompress, isCompressible, MAX_EXPANDED } from './compression.ts';

const repetitive = Buffer.from('{"branch":"B123","period":"2025-11"}'.repeat(100));

describe('compress', () => {
  it('makes a payload above the size smaller, and decompress brings it back', async () => {
    const packed = await compress(repetitive);
    expect(packed?.length).toBeLessThan(repetitive.length / 10);
    expect(repetitive.equals(await decompress(packed as Uint8Array))).toBe(true);
  });

  it('is not worth an attempt up to the size', () => {
    expect(isCompressible(repetitive, { above: repetitive.length })).toBe(false);
    expect(isCompressible(repetitive, { above: repetitive.length - 1 })).toBe(true);
  });

  it('leaves a payload that would not become smaller', async () => {
    expect(await compress(Uint8Array.from([7]))).toBeUndefined();
  });

  it('is not tried where the payload could not be read back', () => {
    expect(isCompressible(new Uint8Array(MAX_EXPANDED), { above: 0 })).toBe(true);
    expect(isCompressible(new Uint8Array(MAX_EXPANDED + 1), { above: 0 })).toBe(false);
  });

  it('brings any payload back', async () => {
    const payloads = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 50 }));
    await fc.assert(
      fc.asyncProperty(payloads, async ([bytes, times]) => {
        const payload = Buffer.concat(Array.from({ length: times }, () => bytes));
        const packed = await compress(payload);
        expect(payload.equals(packed === undefined ? payload : await decompress(packed))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('decompress', () => {
  it('stops at the stated size: a few bytes cannot fill the memory', async () => {
    const packed = (await compress(new Uint8Array(1024 * 1024))) as Uint8Array;
    expect(packed.length).toBeLessThan(1000);
    expect(await decompress(packed, 1024 * 1024)).toHaveLength(1024 * 1024);
    await expect(decompress(packed, 1024 * 1024 - 1)).rejects.toMatchObject({
      code: 'INVALID_ENVELOPE',
      message: 'A stored value is damaged, or expands beyond 1048575 bytes.',
      cause: { code: 'ERR_BUFFER_TOO_LARGE' },
    });
  });

  it('refuses damaged bytes', async () => {
    const packed = (await compress(repetitive)) as Uint8Array;
    await expect(decompress(packed.subarray(0, packed.length - 3))).rejects.toMatchObject({ code: 'INVALID_ENVELOPE' });
    await expect(decompress(new Uint8Array(0))).rejects.toMatchObject({ code: 'INVALID_ENVELOPE' });
    await expect(decompress(Buffer.from('not compressed'))).rejects.toMatchObject({ code: 'INVALID_ENVELOPE' });
  });
});
