import { describe, expect, it } from 'vitest';
import { logOptions } from './log-options.ts';

describe('logOptions', () => {
  it('has defaults: 2 MiB of table, 2 s of lag, a day of bans', () => {
    expect(logOptions()).toEqual({ slots: 2 ** 18, hashes: 3, maxLag: 2_000, maxLife: 86_400_000 });
  });

  it('takes durations as numbers or texts', () => {
    expect(logOptions({ slots: 64, hashes: 2, maxLag: '750ms', maxLife: 120_000 })).toEqual({
      slots: 64,
      hashes: 2,
      maxLag: 750,
      maxLife: 120_000,
    });
  });

  it('takes the least of each', () => {
    expect(logOptions({ maxLag: 500, maxLife: '1m' })).toMatchObject({ maxLag: 500, maxLife: 60_000 });
  });

  it.each([
    [{ maxLag: 499 }, 'maxLag: 499 is too short. Give at least 500 ms.'],
    [{ maxLife: '59s' as const }, 'maxLife: "59s" is too short. Give at least 60000 ms.'],
    [{ maxLag: Number.NaN }, 'maxLag: NaN is not a duration.'],
    [{ maxLife: 'day' as never }, 'maxLife: "day" is not a duration.'],
  ])('refuses %j: %s', (settings, message) => {
    expect(() => logOptions(settings)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
