import { describe, expect, it } from 'vitest';
import { deepFreeze } from './freeze.ts';

describe('deepFreeze', () => {
  it('freezes plain objects and lists, all the way down', () => {
    const value = { a: [{ b: { c: 1 } }], d: Object.create(null) as object };
    deepFreeze(value);
    for (const part of [value, value.a, value.a[0], value.a[0]?.b, value.d]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('leaves other objects as they are: they have their own ways to change', () => {
    class Money {
      amount = 1;
    }
    const value = { date: new Date(), map: new Map(), set: new Set(), bytes: new Uint8Array(2), money: new Money() };
    deepFreeze(value);
    expect(Object.isFrozen(value)).toBe(true);
    for (const part of Object.values(value)) expect(Object.isFrozen(part)).toBe(false);
    expect(() => deepFreeze(Buffer.from('abc'))).not.toThrow();
  });

  it.each([[null], [undefined], [1], ['text'], [Symbol('s')], [() => 1]])('takes %s as it is', (value) => {
    expect(() => deepFreeze(value)).not.toThrow();
  });

  it('ends on cycles, and on what is nested deeper than the stack', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    deepFreeze(cycle);
    expect(Object.isFrozen(cycle)).toBe(true);
    let deep: object = {};
    const innermost = deep;
    for (let i = 0; i < 100_000; i++) deep = { deep };
    deepFreeze(deep);
    expect(Object.isFrozen(innermost)).toBe(true);
  });
});
