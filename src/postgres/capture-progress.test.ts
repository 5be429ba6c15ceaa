import { expect, it } from 'vitest';
import { LagMeter } from './capture-progress.ts';

it('the lag is the age of the newest moment of which all is done', () => {
  const lag = new LagMeter();
  expect(lag.lag(0)).toBeUndefined();
  lag.note(1_000, 10n);
  lag.note(1_050, 20n); // Too soon to be worth it.
  lag.note(1_200, 30n);
  lag.reached(9n);
  expect(lag.lag(1_300)).toBeUndefined();
  lag.reached(29n);
  expect(lag.lag(1_300)).toBe(300);
  lag.reached(30n);
  expect(lag.lag(1_300)).toBe(100);
});
