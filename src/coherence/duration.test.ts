import { describe, expect, it } from 'vitest';
import { type Duration, milliseconds } from './duration.ts';

describe('milliseconds', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [250, 250],
    [0.5, 0.5],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['10d', 864_000_000],
    ['3650d', 315_360_000_000],
  ])('of %s are %d', (duration, ms) => {
    expect(milliseconds(duration, 'ttl')).toBe(ms);
  });

  it.each<unknown>([
    '5',
    '5 m',
    '5min',
    '-5s',
    '1e3ms',
    's',
    '',
    '.5s',
    '5M',
    '5s ',
    'Infinitys',
    '3651d',
    `${'9'.repeat(400)}s`,
  ])('refuses the text %j', (text) => {
    expect(() => milliseconds(text as Duration, 'ttl')).toThrow(
      /^ttl: ".*is not a duration\. Give milliseconds from 0 to/,
    );
  });

  it.each<unknown>([-1, Number.NaN, Number.POSITIVE_INFINITY, 315_360_000_001, null, undefined, true, {}, 5n, [5]])(
    'refuses %s',
    (value) => {
      expect(() => milliseconds(value as Duration, 'ttl')).toThrow('is not a duration');
    },
  );

  it('names the option, the value and the cure', () => {
    expect(() => milliseconds('5 minutes' as Duration, 'defaults.grace')).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message:
          "defaults.grace: \"5 minutes\" is not a duration. Give milliseconds from 0 to 315360000000, or a text such as '250ms', '30s', '5m', '2h' or '10d'.",
      }),
    );
  });
});
