import type { Clock } from './clock.ts';

/**
 * The outcome of `work`, or a rejection after `ms` milliseconds, whichever comes first. What comes later is dropped,
 * errors included.
 *
 * A process that was busy for long looks at its timers before it looks at what has arrived meanwhile. So what is due has one
 * more turn, or an answer that was there in time would count as late.
 */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let cancel = clock.schedule(ms, () => {
      cancel = clock.schedule(0, () => reject(late()));
    });
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
