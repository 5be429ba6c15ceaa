import { TidemarkError, shorten } from './errors.ts';

/** Milliseconds as a number, or a text such as `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'10d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ten years: beyond it a number was most likely meant in another unit. */
const LONGEST = 3_650 * UNITS.d;

/**
 * Milliseconds of a duration.
 *
 * @param option the option's name, for the error message
 * @throws TidemarkError `INVALID_OPTION` unless it is finite, not negative and at most ten years
 */
export function milliseconds(value: Duration, option: string): number {
  const ms = typeof value === 'string' ? parse(value) : value;
  if (typeof ms === 'number' && ms >= 0 && ms <= LONGEST) return ms;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${option}: ${shorten(value)} is not a duration. Give milliseconds from 0 to ${LONGEST}, or a text such as '250ms', '30s', '5m', '2h' or '10d'.`,
  );
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : Number.NaN;
}
