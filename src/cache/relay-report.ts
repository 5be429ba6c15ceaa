import type { ProcessName } from './system-process.ts';

/** What a relay says of itself, as JSON. Fields may come; what a reader does not know it leaves out. */
export interface RelayReport extends ProcessName {
  readonly v: 1;
  readonly kind: 'relay';
  readonly state: 'active' | 'standby' | 'stopped';
  /** How often it says so, in ms. */
  readonly every: number;
  /** Whether it can follow the log. */
  readonly reachable: boolean;
  /** How long the oldest change that it knows of has waited, in ms; `null` while it does not work, or cannot tell. */
  readonly lagMs: number | null;
  /** Rows of the outbox that wait. */
  readonly waiting: number;
  /** Why it does not read the database's log, where it should. */
  readonly problem: string | null;
}
