import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { EpochAge } from './epoch-age.ts';
import type { Guard } from './guards.ts';

function scene(...without: Guard[]) {
  const clock = new FakeClock();
  return { clock, age: new EpochAge({ clock, maxLag: () => 1_000, removed: new Set(without) }) };
}

describe('an epoch', () => {
  it('is young for twice maxLag after it was adopted, and as long again after the next', async () => {
    const { clock, age } = scene();
    expect(age.young).toBe(false);
    for (let epoch = 0; epoch < 2; epoch++) {
      age.begin();
      await clock.advance(2_100);
      expect(age.young).toBe(true);
      await clock.advance(1);
      expect(age.young).toBe(false);
    }
  });

  it('grows older by the monotonic clock alone: time that may have passed grants nothing', () => {
    const { clock, age } = scene();
    age.begin();
    clock.suspend(60_000);
    clock.setWall(clock.wall() + 60_000);
    expect(age.young).toBe(true);
  });

  it('young, youngTwice: without them it never is, or for half as long', async () => {
    const never = scene('young');
    never.age.begin();
    expect(never.age.young).toBe(false);
    const once = scene('youngTwice');
    once.age.begin();
    await once.clock.advance(1_051);
    expect(once.age.young).toBe(false);
  });
});
