import { describe, expect, it } from 'vitest';
import { checksOf, meets } from './condition.ts';

function judged(field: string, given: unknown, event: object): [boolean, string[]] {
  const why: string[] = [];
  return [meets(checksOf(field, given), event, (it) => why.push(it)), why];
}

describe('a condition', () => {
  it.each<[string, unknown, object, boolean]>([
    ['plan', 'pro', { plan: 'pro' }, true],
    ['plan', 'pro', { plan: 'free' }, false],
    ['vip', false, { vip: false }, true],
    ['n', 0, { n: 0 }, true],
    ['plan', { is: 'pro' }, { plan: 'pro' }, true],
    ['plan', { not: 'free' }, { plan: 'free' }, false],
    ['plan', { not: 'free' }, { plan: 'pro' }, true],
    ['plan', { in: ['pro', 'team'] }, { plan: 'team' }, true],
    ['plan', { in: ['pro', 'team'] }, { plan: 'free' }, false],
    ['plan', { notIn: ['free', 'trial'] }, { plan: 'trial' }, false],
    ['plan', { notIn: ['free', 'trial'] }, { plan: 'pro' }, true],
    ['amount', { above: 10 }, { amount: 10 }, false],
    ['amount', { above: 10 }, { amount: 10.5 }, true],
    ['amount', { below: 10 }, { amount: 9 }, true],
    ['amount', { above: 0, below: 10 }, { amount: 12 }, false],
    ['day', { above: '2025-11-01' }, { day: '2025-11-02' }, true],
    ['coupon', { exists: true }, {}, false],
    ['coupon', { exists: false }, { coupon: null }, true],
    ['coupon', { exists: true }, { coupon: '' }, true],
    ['coupon', { exists: true, is: 'X' }, {}, false],
    ['order.total', { above: 5 }, { order: { total: 6 } }, true],
  ])('%s %j of %j: %s', (field, given, event, expected) => {
    expect(judged(field, given, event)).toEqual([expected, []]);
  });

  it.each<[string, unknown, object]>([
    ['plan', 'pro', {}],
    ['plan', { not: 'pro' }, {}],
    ['plan', { in: ['pro'] }, { plan: null }],
    ['plan', { notIn: ['pro'] }, { plan: ['pro'] }],
    ['n', 5, { n: '5' }],
    ['n', { above: 5 }, { n: '6' }],
    ['n', { below: 5 }, { n: Number.NaN }],
    ['n', { below: 5 }, {}],
    ['constructor', { not: 'x' }, {}],
  ])('%s %j of %j cannot be told, so it counts as met, and is reported', (field, given, event) => {
    const [met, why] = judged(field, given, event);
    expect(met).toBe(true);
    expect(why).toEqual([expect.stringContaining(`${field} is missing or of another kind`)]);
  });

  it('says nothing of what cannot be told where something else is not met', () => {
    const condition = [...checksOf('a', 1), ...checksOf('b', 2)];
    const why: string[] = [];
    expect(meets(condition, { b: 3 }, (it) => why.push(it))).toBe(false);
    expect(why).toEqual([]);
  });

  it.each<[unknown, string]>([
    [null, 'null is no comparison. Write a value, or one of is, not, in, notIn, above, below, exists'],
    [[1], 'is no comparison'],
    [{}, 'is no comparison'],
    [{ equals: 1 }, 'there is no comparison "equals"'],
    [{ toString: 1 }, 'there is no comparison "toString"'],
    [{ in: 'pro' }, 'in: "pro" is not a list of texts or numbers'],
    [{ in: [] }, 'is not a list'],
    [{ in: [null] }, 'is not a list'],
    [{ is: [] }, 'is not a text, a number, true or false'],
    [{ above: true }, 'above: true is not a number or a text'],
    [{ exists: 'yes' }, 'exists: "yes" is not true or false'],
  ])('%j is refused before there is an event', (given, message) => {
    expect(() => checksOf('plan', given)).toThrow(message);
  });
});
