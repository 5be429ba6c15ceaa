import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { Stopwatch } from './stopwatch.ts';

/** Both clocks, moved by hand. */
class Clocks implements Clock {
  mono = 5;
  real = 1_000_000;
  monotonic(): number {
    return this.mono;
  }
  wall(): number {
    return this.real;
  }
  schedule(): () => void {
    throw new Error('nobody schedules here');
  }
  run(ms: number): void {
    this.mono += ms;
    this.real += ms;
  }
}

let clocks: Clocks;
let stopwatch: Stopwatch;

beforeEach(() => {
  clocks = new Clocks();
  stopwatch = new Stopwatch(clocks);
});

function passed(): number {
  return stopwatch.now() - 5;
}

describe('Stopwatch', () => {
  it('runs with the monotonic clock', () => {
    clocks.run(1234);
    expect(passed()).toBe(1234);
  });

  it('counts time in which only the wall clock ran: the machine was suspended', () => {
    clocks.run(100);
    clocks.real += 60_000;
    expect(passed()).toBe(60_100);
    clocks.run(100);
    expect(passed()).toBe(60_200);
  });

  it('is not set back with the wall clock, and counts what it then gains', () => {
    clocks.real -= 3_600_000;
    clocks.run(10);
    expect(passed()).toBe(10);
    clocks.real += 1_000;
    expect(passed()).toBe(1_010);
  });

  it('forgives 50 ms, but not again and again', () => {
    clocks.real += 50;
    expect(passed()).toBe(0);
    clocks.real += 1;
    expect(passed()).toBe(51);
    for (let i = 0; i < 10; i++) {
      clocks.run(1_000);
      clocks.real += 10;
      stopwatch.now();
    }
    expect(passed()).toBe(10_000 + 51 + 60); // Six drifts of 10 ms pass the tolerance once; four are still forgiven.
  });

  it('never goes back and never runs slower than the monotonic clock, whatever the wall clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: -10_000, max: 10_000 }))), (steps) => {
        const hands = new Clocks();
        const watch = new Stopwatch(hands);
        let [before, mono] = [watch.now(), hands.mono];
        for (const [ms, shift] of steps) {
          hands.mono += ms;
          hands.real += ms + shift;
          expect(watch.now() - before).toBeGreaterThanOrEqual(hands.mono - mono);
          [before, mono] = [watch.now(), hands.mono];
        }
      }),
    );
  });

  it('is at least as old as any suspension that the wall clock shows, less the tolerance', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 20 }), (suspensions) => {
        const hands = new Clocks();
        const watch = new Stopwatch(hands);
        for (const ms of suspensions) {
          hands.real += ms;
          watch.now();
        }
        expect(watch.now() - 5).toBeGreaterThanOrEqual(suspensions.reduce((sum, ms) => sum + ms, 0) - 50);
      }),
    );
  });

  it('trusts the monotonic clock alone where it is told to', () => {
    const trusting = new Stopwatch(clocks, false);
    clocks.real += 60_000;
    clocks.mono += 1;
    expect(trusting.now()).toBe(6);
  });
});
