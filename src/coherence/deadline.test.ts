import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { Deadlines, within } from './deadline.ts';

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

describe('deadlines of one length', () => {
  /** Work that a test ends, and what became of it. */
  function start(deadlines: Deadlines, name: string, told: string[], failed?: (error: unknown) => void) {
    let resolve: (value: string) => void = () => {};
    let reject: (error: Error) => void = () => {};
    const work = new Promise<string>((done, fail) => {
      resolve = done;
      reject = fail;
    });
    deadlines
      .within(work, () => new Error('late'), failed)
      .then(
        (value) => told.push(`${name} ${value}`),
        (error: Error) => told.push(`${name} ${error.message}`),
      );
    return { resolve, reject };
  }

  it('are kept by one timer, and by none when nothing is waited for', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    const [a, b] = [start(deadlines, 'a', told), start(deadlines, 'b', told)];
    expect(clock.timers).toBe(1);
    b.resolve('done');
    await promisesSettled();
    expect(clock.timers).toBe(1);
    a.reject(new Error('failed'));
    await promisesSettled();
    expect(told).toEqual(['b done', 'a failed']);
    expect(clock.timers).toBe(0);
  });

  it('end each work at its own time', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    start(deadlines, 'a', told);
    await clock.advance(30);
    const b = start(deadlines, 'b', told);
    await clock.advance(30);
    start(deadlines, 'c', told);
    b.resolve('done');
    await clock.advance(39);
    expect(told).toEqual(['b done']);
    await clock.advance(1);
    expect(told).toEqual(['b done', 'a late']);
    await clock.advance(59);
    expect(told).toEqual(['b done', 'a late']);
    await clock.advance(1);
    expect(told).toEqual(['b done', 'a late', 'c late']);
    expect(clock.timers).toBe(0);
  });

  it('drop what comes later, and go on', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    const a = start(deadlines, 'a', told);
    await clock.advance(100);
    start(deadlines, 'b', told);
    a.reject(new Error('nobody listens'));
    await promisesSettled();
    expect(clock.timers).toBe(1);
    await clock.advance(100);
    expect(told).toEqual(['a late', 'b late']);
  });

  it('tell of a failure before the caller hears of it', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    const failed = (error: unknown): void => void told.push(`told of ${(error as Error).message}`);
    start(deadlines, 'a', told, failed).reject(new Error('it'));
    await promisesSettled();
    expect(told).toEqual(['told of it', 'a it']);
  });

  it('let what has arrived meanwhile count, in a process that was busy', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    const a = start(deadlines, 'a', told);
    clock.schedule(100, () => a.resolve('answer'));
    await clock.advance(100);
    expect(told).toEqual(['a answer']);
  });

  it('are kept for thousands behind one that takes long', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    start(deadlines, 'long', told);
    await clock.advance(50);
    for (let round = 0; round < 5; round++) {
      const works = Array.from({ length: 1_000 }, (_, i) => start(deadlines, String(i), told));
      for (const { resolve } of works) resolve('done');
      await promisesSettled();
    }
    start(deadlines, 'last', told);
    expect(told).toHaveLength(5_000);
    await clock.advance(50);
    expect(told.at(-1)).toBe('long late');
    await clock.advance(50);
    expect(told.at(-1)).toBe('last late');
    expect(clock.timers).toBe(0);
  });

  it('are kept for thousands', async () => {
    const deadlines = new Deadlines(clock, 100);
    const told: string[] = [];
    const works = Array.from({ length: 3_000 }, (_, i) => start(deadlines, String(i), told));
    for (const { resolve } of works.slice(0, 2_500)) resolve('done');
    await promisesSettled();
    expect(told).toHaveLength(2_500);
    await clock.advance(100);
    expect(told).toHaveLength(3_000);
    expect(told.at(-1)).toBe('2999 late');
    expect(clock.timers).toBe(0);
  });

  it('have one timer, too, when more work is begun while some is given up', async () => {
    const deadlines = new Deadlines(clock, 100);
    const hanging = new Promise<string>(() => {});
    const again = (): Error => {
      deadlines.within(hanging, () => new Error('late')).catch(() => {});
      return new Error('late');
    };
    const first = deadlines.within(hanging, again);
    first.catch(() => {});
    await clock.advance(100);
    await expect(first).rejects.toThrow('late');
    expect(clock.timers).toBe(1);
    await clock.advance(100);
    expect(clock.timers).toBe(0);
  });
});
