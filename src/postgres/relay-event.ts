import type { CaptureEvent } from './capture-event.ts';

/** What a relay tells. A closed union: metrics and logs are listeners. */
export type RelayEvent =
  /** This relay has the lock: it is the one that works. */
  | { readonly type: 'active' }
  /** It has not, or no more: another one works, or the database does not answer. */
  | { readonly type: 'standby'; readonly cause?: unknown }
  /** A server does not answer; it is tried again with growing pauses. */
  | {
      readonly type: 'reconnecting';
      readonly to: 'database' | 'log';
      readonly failures: number;
      readonly error: unknown;
    }
  /** Something cannot go on until somebody mends it; the error says how. It is tried again all the while. */
  | {
      readonly type: 'failed';
      readonly part: 'outbox' | 'capture' | 'announcements' | 'bounds';
      readonly error: unknown;
    }
  /** Messages whose writers did not get them to the log were appended. */
  | { readonly type: 'appended'; readonly records: number }
  /** A message is in the log twice, which is harmless. */
  | { readonly type: 'duplicate'; readonly id: string }
  /** A row's message could not be read: everything is invalidated in its stead. */
  | { readonly type: 'undecodable'; readonly row: string; readonly error: unknown }
  /** A strict write whose writer did not do so was closed, since its transaction has ended; with what the database says of its id. */
  | { readonly type: 'closed-announcement'; readonly id: string; readonly outcome: string }
  /** Readers of replicas were told how far a replica must be, after a commit about which nobody said it. */
  | { readonly type: 'bound'; readonly lsn: bigint }
  | CaptureEvent;

/** Hears of what a relay does. */
export type RelayListener = (event: RelayEvent) => void;
