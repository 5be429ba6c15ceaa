import type { BreakerStatus } from './breaker-status.ts';

/** A circuit breaker whose status is shown, such as that of `createBreaker()`. */
export interface BreakerLike {
  status(): BreakerStatus;
}
