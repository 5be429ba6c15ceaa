import type { Clock } from './clock.ts';

/**
 * The outcome of `work`, or a rejection after `ms` milliseconds, whichever comes first. What comes later is dropped,
 * errors included.
 */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.schedule(ms, () => reject(late()));
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
