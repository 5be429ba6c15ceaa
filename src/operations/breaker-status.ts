import type { BreakerState } from './breaker-event.ts';

/** Where a breaker is, as JSON. Counts are of this process, since it was made; times are by its wall clock. */
export interface BreakerStatus {
  readonly name: string;
  readonly state: BreakerState;
  /** Since when it is closed, or has not been: ISO 8601. */
  readonly since: string;
  /** Who opened it; `null` while it is closed. */
  readonly openedBy: string | null;
  /** From when on a call finds out whether the dependency is back; `null` while it is closed. */
  readonly probedFrom: string | null;
  readonly failures: number;
  readonly refused: number;
  readonly fallbacks: number;
  /** How often it has opened, whoever found out. */
  readonly opened: number;
  readonly lastFailure: string | null;
  /** Whether it hears of the others. */
  readonly board: 'none' | 'up' | 'down';
}
