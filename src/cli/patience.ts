import { setTimeout as wait } from 'node:timers/promises';
import { ApiError } from './api-error.ts';

/** Longest wait that an API may ask for, in seconds. */
const LONGEST = 60;

/** Asks again where an API was asked too often, once it allows that: for long work. @throws whatever else went wrong */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfter === undefined || error.retryAfter > LONGEST) throw error;
      await wait(error.retryAfter * 1_000);
    }
  }
}
