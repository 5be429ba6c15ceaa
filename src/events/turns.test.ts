import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Turns } from './turns.ts';

function setUp(perSecond: number, burst: number) {
  const clock = new FakeClock();
  const turns = new Turns({ perSecond, burst }, clock);
  /** When each had its turn, in ms. */
  const went: number[] = [];
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) turns.take(() => void went.push(clock.monotonic()));
  };
  return { clock, turns, went, take };
}

describe('Turns', () => {
  it('come one after the other beyond the burst, by one timer', async () => {
    const { clock, turns, went, take } = setUp(100, 3);
    take(5);
    take(1);
    expect(turns.waiting).toBe(3);
    expect(clock.timers).toBe(1);
    await clock.advance(1_000);
    expect(went).toEqual([0, 0, 0, 10, 20, 30]);
    expect(clock.timers).toBe(0);
  });

  it('are never more in a second than the limit and one burst', async () => {
    const { clock, went, take } = setUp(3, 2);
    for (let i = 0; i < 100; i++) {
      take(1);
      await clock.advance(7);
    }
    await clock.advance(60_000);
    expect(went).toHaveLength(100);
    for (const at of went) expect(went.filter((it) => it >= at && it < at + 1_000).length).toBeLessThanOrEqual(5);
    // 98 behind the burst, a third of a second each.
    expect(went.at(-1)).toBeCloseTo((98 / 3) * 1_000, 3);
  });

  it('keep for later no more than a burst, however long nothing was sent', async () => {
    const { clock, went, take } = setUp(10, 2);
    await clock.advance(60_000);
    take(3);
    expect(went).toHaveLength(2);
  });

  it('are all at once when they are flushed, and then there is no timer', async () => {
    const { clock, turns, went, take } = setUp(10, 1);
    take(4);
    turns.flush();
    expect(went).toEqual([0, 0, 0, 0]);
    expect([turns.waiting, clock.timers]).toEqual([0, 0]);
  });
});
