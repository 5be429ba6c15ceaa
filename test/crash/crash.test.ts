import { expect, it } from 'vitest';
import { crash } from './crash.ts';

it.each(['outbox', 'wal', 'capture'])(
  'what a writer has committed gets to every reader, wherever it was killed: %s',
  async (carrier) => {
    const { violations, between, delays } = await crash({ times: 3, carrier });
    expect(violations).toEqual([]);
    expect(between).toBeGreaterThanOrEqual(3);
    expect(delays[0]).toBeGreaterThan(0);
  },
  120_000,
);
