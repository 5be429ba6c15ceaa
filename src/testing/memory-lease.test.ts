import { expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { memoryLease } from './memory-lease.ts';

it('memoryLease is one lease for all caches that are given it', async () => {
  const clock = new FakeClock();
  const part = memoryLease();
  const [a, b] = [part({ clock }), part({ clock })];
  expect((await a.acquire('k', 1_000)).granted).toBe(true);
  expect(await b.acquire('k', 1_000)).toEqual({ granted: false, wait: 10 });
});

it('memoryLease tells who asks shortly before the end to wait no longer than until then', async () => {
  const clock = new FakeClock();
  const lease = memoryLease()({ clock });
  await lease.acquire('k', 1_000);
  await clock.advance(997);
  expect(await lease.acquire('k', 1_000)).toEqual({ granted: false, wait: 3 });
});

it('two memoryLeases know nothing of each other', async () => {
  const clock = new FakeClock();
  await memoryLease()({ clock }).acquire('k', 1_000);
  expect((await memoryLease()({ clock }).acquire('k', 1_000)).granted).toBe(true);
});
