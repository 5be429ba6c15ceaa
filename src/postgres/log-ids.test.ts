import { expect, it } from 'vitest';
import { LogIds } from './log-ids.ts';

const id = (n: number): string => n.toString(16).padStart(32, 'e');

it('counts what was read only once the log has proven that it is there', () => {
  const ids = new LogIds();
  ids.add(id(1), 1);
  ids.add(id(2), 2);
  expect([ids.has(id(1)), ids.awaits(id(1))]).toEqual([false, true]);
  ids.prove(1);
  expect([ids.has(id(1)), ids.has(id(2)), ids.awaits(id(2))]).toEqual([true, false, true]);
});

it('knows a duplicate, proven or not', () => {
  const ids = new LogIds();
  expect(ids.add(id(1), 1)).toBe(false);
  expect(ids.add(id(1), 2)).toBe(true);
  ids.prove(9);
  expect(ids.add(id(1), 3)).toBe(true);
});

it('forgets the oldest, and all of another epoch', () => {
  const ids = new LogIds(2);
  for (const n of [1, 2, 3]) ids.add(id(n), n);
  ids.prove(3);
  expect([1, 2, 3].map((n) => ids.has(id(n)))).toEqual([false, true, true]);
  ids.add(id(4), 4);
  ids.clear();
  ids.prove(9);
  expect([3, 4].map((n) => ids.has(id(n)))).toEqual([false, false]);
});

it('takes what the log itself appends for nobody’s', () => {
  const ids = new LogIds();
  for (const digit of ['0', 'f']) {
    expect(ids.add(digit.repeat(32), 1)).toBe(false);
    expect(ids.add(digit.repeat(32), 2)).toBe(false);
  }
  ids.prove(2);
  expect(ids.has('0'.repeat(32))).toBe(false);
});
