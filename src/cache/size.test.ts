import { describe, expect, it } from 'vitest';
import { bytes, type Size } from './size.ts';

describe('bytes', () => {
  it.each<[Size, number]>([
    [1, 1],
    [1_000_000, 1_000_000],
    ['512b', 512],
    ['1kb', 1_024],
    ['1.5kb', 1_536],
    ['64mb', 67_108_864],
    ['1gb', 1_073_741_824],
    ['0.5b', 1],
  ])('of %j are %i', (size, count) => {
    expect(bytes(size, 'x')).toBe(count);
  });

  it.each([
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '64',
    '64 mb',
    '64MB',
    'mb',
    '-1kb',
    '0.1b',
    null,
    {},
  ])('refuses %j', (size) => {
    expect(() => bytes(size as Size, 'memory.maxBytes')).toThrow(
      "is not a size. Give a positive whole number of bytes, or a text such as '512kb', '64mb' or '1gb'.",
    );
    expect(() => bytes(size as Size, 'memory.maxBytes')).toThrow(/^memory\.maxBytes: /);
  });
});
