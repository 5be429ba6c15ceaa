import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { within } from './deadline.ts';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

function late(): Error {
  return new Error('too late');
}

describe('within', () => {
  it('is what the work returns in time, and leaves no timer', async () => {
    await expect(within(clock, 100, Promise.resolve(7), late)).resolves.toBe(7);
    expect(clock.timers).toBe(0);
  });

  it('is the error of work that fails in time, and leaves no timer', async () => {
    await expect(within(clock, 100, Promise.reject(new Error('no')), late)).rejects.toThrow('no');
    expect(clock.timers).toBe(0);
  });

  it('rejects at the deadline, not before', async () => {
    const outcome: string[] = [];
    void within(clock, 100, new Promise(() => {}), late).catch((error: Error) => outcome.push(error.message));
    await clock.advance(99);
    expect(outcome).toEqual([]);
    await clock.advance(1);
    expect(outcome).toEqual(['too late']);
  });

  it('drops what comes later, errors included', async () => {
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const outcome = within(clock, 100, work, late).catch((error: Error) => error.message);
    await clock.advance(100);
    fail(new Error('nobody listens, and nothing ends the process'));
    await clock.advance(0);
    await expect(outcome).resolves.toBe('too late');
  });
});

describe('a process that was busy for longer than a deadline', () => {
  it('hears of what has arrived meanwhile before it counts as late', async () => {
    let arrived: (text: string) => void = () => {};
    const work = new Promise<string>((resolve) => {
      arrived = resolve;
    });
    const outcome = within(clock, 100, work, late);
    // What arrived is looked at after the timers that were due.
    clock.schedule(100, () => arrived('answer'));
    await clock.advance(100);
    await expect(outcome).resolves.toBe('answer');
    expect(clock.timers).toBe(0);
  });
});
