import { expect, it } from 'vitest';
import { crash } from './crash.ts';

it('what a writer has committed gets to every reader, wherever it was killed: outbox', async () => {
  const { violations, between, delays } = await crash({ times: 3, carrier: 'outbox' });
  expect(violations).toEqual([]);
  expect(between).toBeGreaterThanOrEqual(3);
  expect(delays[0]).toBeGreaterThan(0);
}, 120_000);
