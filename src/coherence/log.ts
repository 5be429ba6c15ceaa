import type { Announcement } from './announcements.ts';
import type { Ban } from './bans.ts';
import type { Draft, Lsn, LogRecord } from './record.ts';

/** What belongs to the log and is fixed when it is created; a node that was configured otherwise uses these. */
export interface LogOptions {
  /** Slots of the tide table, a power of two. */
  readonly slots: number;
  /** Slots per label. */
  readonly hashes: number;
  /** How old a node's proof of freshness may be while it serves, in ms. */
  readonly maxLag: number;
  /** How long a ban is kept before the floor is raised to it, and the longest life of an entry, in ms. */
  readonly maxLife: number;
}

/** The state of the log as of one position. */
export interface Snapshot {
  readonly epoch: string;
  readonly head: number;
  readonly floor: number;
  /** A copy of the tide table, see `TideTable.toBytes`. */
  readonly table: Uint8Array;
  readonly bans: readonly Ban[];
  readonly announcements: readonly Announcement[];
  readonly lsn: Lsn;
  readonly options: LogOptions;
  /** As in {@link Reading}. */
  readonly provenAt: number | undefined;
}

/** Records after a position, in order, with the head as it was when they were read. */
export interface Reading {
  readonly epoch: string;
  readonly head: number;
  readonly records: readonly LogRecord[];
  /**
   * When the request that this reading answers was *sent*, on the stopwatch given to the log; `undefined` where the log
   * could not verify itself, or its replicas did not confirm it. Only a reading that reaches its own head proves anything.
   */
  readonly provenAt: number | undefined;
}

/** What an append was answered. */
export interface Appended {
  readonly epoch: string;
  /** One number for each draft, in order. */
  readonly numbers: readonly number[];
}

/** Ends a subscription. */
export type Unsubscribe = () => void;

/**
 * The one ordered log that every change is appended to.
 *
 * It promises: numbers strictly increase within an epoch and each record names its predecessor; whatever may have lost a
 * record has begun a new epoch before the next answer; an append that resolved is durable to the degree configured.
 *
 * It does not promise: that a record stays readable (it may be trimmed: the chain shows it); that an append that
 * rejected was not made (sending again is harmless); that an answer is fresh when it arrives (see `provenAt`); that the
 * epoch of an append is the epoch that any node has adopted.
 */
export interface InvalidationLog {
  /**
   * Appends drafts in order, all or none.
   *
   * @throws whatever the adapter's client throws; the caller treats every error as "may or may not have been made"
   */
  append(drafts: readonly Draft[]): Promise<Appended>;
  /**
   * Records after `after.number`, at most `limit`. When there are none it may wait up to `wait` ms for one. A reading in
   * another epoch than `after.epoch` carries no records.
   */
  read(
    after: { readonly epoch: string; readonly number: number },
    options: { wait: number; limit: number },
  ): Promise<Reading>;
  snapshot(): Promise<Snapshot>;
  /**
   * Only a log that lives in this very process may offer it: hands over the state at once, and each later record in the
   * same turn as its append. A node that follows this way is always exactly up to date and needs no proof.
   */
  attach?(onRecord: (record: LogRecord) => void): { readonly snapshot: Snapshot; readonly detach: Unsubscribe };
  /**
   * Where the log can tell: calls `listener` when its server may have become reachable, so that who pauses between attempts
   * tries at once.
   */
  onReachable?(listener: () => void): Unsubscribe;
  /** Ends what the log started; reads that wait end soon, with an answer or an error. */
  close(): Promise<void>;
}
