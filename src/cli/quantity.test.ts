import { expect, it } from 'vitest';
import { clock, count, percent, rate, size, time } from './quantity.ts';

it.each([
  [percent(0.9345), '93.5%'],
  [percent(undefined), '-'],
  [percent(Number.NaN), '-'],
  [time(0.1234), '0.12ms'],
  [time(999.4), '999ms'],
  [time(3_210), '3.2s'],
  [time(90_000), '1.5m'],
  [time(7_200_000), '2h'],
  [time(-90_000), '-1.5m'],
  [time(null), '-'],
  [size(0), '0B'],
  [size(1_234), '1.2kB'],
  [size(5e9), '5GB'],
  [count(12.4), '12'],
  [rate(0.25), '0.3'],
  [rate(12.6), '13'],
  [clock(0), '1970-01-01T00:00:00.000Z'],
])('%s', (said, expected) => {
  expect(said).toBe(expected);
});
