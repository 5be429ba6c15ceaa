import { type Duration, milliseconds } from '../coherence/duration.ts';
import { interruptible, pause } from './interruption.ts';
import { UsageError } from './usage-error.ts';

/** The time between two looks. @throws UsageError */
export function interval(text: string): number {
  const ms = milliseconds((/^\d+$/.test(text) ? Number(text) * 1_000 : text) as Duration, '--every');
  if (ms >= 100 && ms < 2 ** 31) return ms;
  throw new UsageError(`--every ${text}: give a time of 100ms or more, such as 2s.`);
}

/** Looks again and again, until somebody has seen enough. */
export function every(ms: number, look: (first: boolean) => Promise<void>): Promise<void> {
  return interruptible(async (ended) => {
    for (let first = true; ; first = false) {
      await look(first);
      if (!(await pause(ms, ended))) return;
    }
  });
}
