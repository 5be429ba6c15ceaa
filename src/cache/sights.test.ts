import { describe, expect, it } from 'vitest';
import { NO_GUARD_REMOVED } from '../coherence/guards.ts';
import { Sights } from './sights.ts';

function setUp(): Sights {
  let order = 0;
  return new Sights(() => ++order, NO_GUARD_REMOVED);
}

describe('sights', () => {
  it('of a token are of when it first came', () => {
    const sights = setUp();
    expect([sights.of('a'), sights.of('b'), sights.of('a')]).toEqual([1, 2, 1]);
  });

  it('of the token without a name are always new', () => {
    const sights = setUp();
    expect([sights.of('1.queued'), sights.of('1.queued')]).toEqual([1, 2]);
  });

  it('are bounded: the oldest is forgotten, and then new again', () => {
    const sights = setUp();
    for (let i = 0; i < 1_025; i++) sights.of(`t${i}`);
    expect(sights.of('t1')).toBe(2);
    expect(sights.of('t0')).toBe(1_026);
  });
});
