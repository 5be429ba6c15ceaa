import { setTimeout } from 'node:timers/promises';
import type { Effort, Sample } from './question.ts';

/** Does so many operations; returns the milliseconds that they took. */
export type Timed = (count: number) => number | Promise<number>;

/**
 * Warms an operation up for a while, learns how many of it fill a slice of time, and returns what measures that many:
 * nanoseconds per operation.
 */
export async function paced(
  timed: Timed,
  { slice, warmUp }: Effort,
  atMost = Number.POSITIVE_INFINITY,
): Promise<Sample> {
  let count = Math.min(500, atMost);
  for (let warm = 0; warm < warmUp; ) {
    const ms = await timed(count);
    warm += ms;
    count = Math.min(atMost, Math.ceil(count * Math.min(4, Math.max(0.25, slice / ms))));
  }
  return async () => ((await timed(count)) * 1e6) / count;
}

/** The milliseconds that some work takes, on a heap without garbage. It returns something that depends on all it did. */
export async function clocked(work: () => number | Promise<number>): Promise<number> {
  collectGarbage();
  const since = performance.now();
  const result = await work();
  const ms = performance.now() - since;
  consume(result);
  return ms;
}

/** Measuring processes are started so that they can. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Start this process with --expose-gc.');
  globalThis.gc();
}

/** A figure of the memory, taken once collecting changes it no more: array buffers are freed some time after. */
export async function settled(figure: () => number): Promise<number> {
  for (let before = Number.NaN; ; ) {
    collectGarbage();
    await setTimeout(20);
    const now = figure();
    if (Math.abs(now - before) <= 4_096) return now;
    before = now;
  }
}

/** Results that nobody looks at could be left out by the compiler. */
export function consume(result: number): void {
  if (!Number.isFinite(result)) throw new Error(`The results came to ${result}: something was read that is not there.`);
}
