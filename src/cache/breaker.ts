/**
 * Decides whether a dependency is worth asking now, so that nobody waits for a dead one.
 *
 * It does not promise that what it lets through succeeds, nor that it stops at the first failure.
 */
export interface Breaker {
  /** Runs `work`, or rejects at once while the breaker is open. Rejections of `work` pass through unchanged. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Lets everything through. */
export const noBreaker: Breaker = {
  run: (work) => work(),
};
