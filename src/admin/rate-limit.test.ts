import { expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { RateLimit } from './rate-limit.ts';

it('gives what is allowed in a minute at once, then as it comes in', async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(60, clock);
  for (let i = 0; i < 60; i++) expect(limit.take('a')).toBe(0);
  expect(limit.take('a')).toBe(1);
  expect(limit.take('b')).toBe(0);
  await clock.advance(999);
  expect(limit.take('a')).toBe(1);
  await clock.advance(1);
  expect([limit.take('a'), limit.take('a')]).toEqual([0, 1]);
  await clock.advance(3_600_000);
  for (let i = 0; i < 60; i++) expect(limit.take('a')).toBe(0);
  expect(limit.take('a')).toBe(1);
});

it('says how long to wait', () => {
  const limit = new RateLimit(2, new FakeClock());
  expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([0, 0, 30]);
});

it('remembers 10,000 clients, and forgets the one that was not heard of for longest', () => {
  const limit = new RateLimit(1, new FakeClock());
  for (let i = 0; i < 10_000; i++) limit.take(`client ${i}`);
  expect(limit.take('client 0')).toBe(60); // Heard of again: the next is forgotten.
  limit.take('one more');
  expect([limit.take('client 0'), limit.take('client 1')]).toEqual([60, 0]);
});

it('may be none', () => {
  const limit = new RateLimit(Number.POSITIVE_INFINITY, new FakeClock());
  expect(Array.from({ length: 1_000 }, () => limit.take('a')).some((it) => it > 0)).toBe(false);
});
