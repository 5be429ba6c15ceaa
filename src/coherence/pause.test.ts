import { expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Pause } from './pause.ts';

it('lasts as long as it was asked to, or until it is ended', async () => {
  const clock = new FakeClock();
  const pause = new Pause(clock);
  const ended: string[] = [];
  void pause.pass(100).then(() => ended.push('first'));
  await clock.advance(99);
  expect(ended).toEqual([]);
  await clock.advance(1);
  expect(ended).toEqual(['first']);
  void pause.pass(100).then(() => ended.push('second'));
  pause.end();
  pause.end();
  await clock.advance(0);
  expect(ended).toEqual(['first', 'second']);
  expect(clock.timers).toBe(0);
});
