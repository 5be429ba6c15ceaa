import { shorten, TidemarkError } from '../coherence/errors.ts';

/** Bytes as a number, or a text such as `'512kb'`, `'64mb'`, `'1gb'` (powers of 1024). */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`;

const UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/**
 * Bytes of a size.
 *
 * @throws TidemarkError `INVALID_OPTION` unless it is a positive safe number of bytes
 */
export function bytes(value: Size, option: string): number {
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/.exec(value) : null;
  const size = match ? Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]) : value;
  if (typeof size === 'number' && Number.isSafeInteger(size) && size > 0) return size;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${option}: ${shorten(value)} is not a size. Give a positive whole number of bytes, or a text such as '512kb', '64mb' or '1gb'.`,
  );
}
