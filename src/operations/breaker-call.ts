import { shorten } from '../coherence/errors.ts';
import type { Clock } from '../index.ts';

export interface CallParts {
  readonly clock: Clock;
  /** In ms. */
  readonly timeout: number;
  /** Of the breaker, for messages. */
  readonly name: string;
  readonly isFailure: (error: unknown) => boolean;
  readonly passed: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Runs `work`, and says once how it went: by how it ends, or because it has not ended in time. The verdict is there before whoever
 * waits goes on; nobody is cut off.
 */
export async function judged<T>(work: () => Promise<T>, parts: CallParts): Promise<T> {
  const { clock, timeout, name, isFailure, passed, failed } = parts;
  let late = false;
  const cancel = clock.schedule(timeout, () => {
    late = true;
    failed(new Error(`a call through the breaker ${shorten(name)} took longer than ${timeout} ms`));
  });
  try {
    const value = await work();
    if (!late) passed();
    return value;
  } catch (error) {
    if (!late) {
      if (counts(isFailure, error)) failed(error);
      else passed();
    }
    throw error;
  } finally {
    cancel();
  }
}

/** A user's function that throws must not hide the error that it was asked about. */
function counts(isFailure: (error: unknown) => boolean, error: unknown): boolean {
  try {
    return isFailure(error);
  } catch {
    return true;
  }
}
