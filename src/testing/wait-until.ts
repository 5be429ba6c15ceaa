export interface WaitOptions {
  /** In ms. Default 5000. */
  readonly timeout?: number;
  /** Pause between two looks, in ms. Default 5. */
  readonly every?: number;
  /** What is waited for, as the error says it. */
  readonly what?: string;
}

/**
 * Resolves when a condition holds, in real time: for tests against real servers, in place of sleeping.
 *
 * @param condition returns or resolves to something truthy; while it throws or rejects it does not hold
 * @returns what the condition returned
 * @throws Error after `timeout` ms, with what the condition last threw as its cause
 */
export async function waitUntil<T>(condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  const { timeout = 5_000, every = 5, what = 'a condition' } = options;
  const until = performance.now() + timeout;
  for (;;) {
    let cause: unknown;
    try {
      const found = await condition();
      if (found) return found;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= until) throw new Error(`Waited ${timeout} ms for ${what}.`, { cause });
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
