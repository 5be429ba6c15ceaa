import { expect, it } from 'vitest';
import { herd } from './herd.ts';

it('a cold fleet after a failover asks its source for no more at once than it may, and for no key twice', async () => {
  const limits = { concurrency: 3, fleet: 5 };
  const seen = await herd({ processes: 4, entries: 1_000, seconds: 3, time: 10, ...limits });
  expect(seen.errors).toEqual([]);
  expect(seen.most).toBeLessThanOrEqual(limits.fleet);
  expect(seen.mostOfOne).toBeLessThanOrEqual(limits.concurrency);
  expect(seen.doubles).toBe(0);
  expect(seen.loads).toBeGreaterThan(0);
  expect(seen.reads).toBeGreaterThan(0);
}, 90_000);
