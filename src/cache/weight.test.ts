import { describe, expect, it } from 'vitest';
import { weigh } from './weight.ts';

describe('weigh', () => {
  it('counts texts by their length, and every part of an object', () => {
    expect(weigh('x'.repeat(1_000))).toBeGreaterThanOrEqual(1_000);
    expect(weigh({ a: 'x'.repeat(1_000), b: ['y'.repeat(1_000)] })).toBeGreaterThanOrEqual(2_000);
    expect(weigh(new Map([['k', 'x'.repeat(1_000)]]))).toBeGreaterThanOrEqual(1_000);
    expect(weigh(new Set(['x'.repeat(1_000)]))).toBeGreaterThanOrEqual(1_000);
    expect(weigh(new Uint8Array(5_000))).toBeGreaterThanOrEqual(5_000);
  });

  it.each([[null], [undefined], [0], [''], [false], [10n], [Symbol('s')], [() => 1], [{}], [[]], [new Date()]])(
    'gives %s a positive whole number',
    (value) => {
      const weight = weigh(value);
      expect(Number.isSafeInteger(weight) && weight > 0).toBe(true);
    },
  );

  // The LRU takes whole numbers only: a fraction made every load of a large list fail.
  it('gives a sampled list a whole number, within a factor of two of what its parts weigh', () => {
    const rows = Array.from({ length: 3_001 }, (_, i) => ({ id: i, name: 'n'.repeat(i % 13) }));
    const exact = rows.reduce((sum, row) => sum + weigh(row), 0);
    const weight = weigh(rows);
    expect(Number.isSafeInteger(weight)).toBe(true);
    expect(weight).toBeGreaterThan(exact / 2);
    expect(weight).toBeLessThan(exact * 2);
  });

  it('ends on cycles and on deep nesting', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = { deep };
    expect(weigh(cycle)).toBeGreaterThan(0);
    expect(weigh(deep)).toBeGreaterThan(0);
  });
});
