import assert from 'node:assert/strict';

/** What counts as soon, in ms: no request of a contract that is to be answered at once asks to wait as little. */
const SOON = 2_000;

/** The wait of a reading that is to be answered before it ends, in ms. */
export const LONG_WAIT = 20_000;

/** What the promise brings, if it does so within a moment of the subject's time; so that a case fails and does not hang. */
export function soon<T>(elapse: (ms: number) => Promise<void>, what: string, promise: Promise<T>): Promise<T> {
  const late = elapse(SOON).then(() => assert.fail(`${what}: still under way after ${SOON} ms`));
  return Promise.race([promise, late]);
}
