import { expect, it } from 'vitest';
import { pairs } from './pairs.ts';

it('three instances that hear of records late: with the header no client reads older than its own write, without it many do', async () => {
  const { withHeader, without } = await pairs({ pairs: 60, instances: 3, clients: 3, late: 25 });
  expect(withHeader.afterWrite).toHaveLength(60);
  expect(withHeader.older).toBe(0);
  expect(without.older).toBeGreaterThan(5);
}, 60_000);
