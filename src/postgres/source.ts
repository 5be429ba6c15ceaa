import type { Position } from '../coherence/position.ts';
import type { Coverage, Draft } from '../coherence/record.ts';
import type { PartContext } from '../coherence/part.ts';
import type { Database, Session } from './driver.ts';
import type { RelayEvent } from './relay-event.ts';

/** Takes drafts to the log. */
export interface Sender {
  /** A draft with an id, this relay's origin and the time, for what has no message of its own. */
  draft(coverage: Coverage, about?: Partial<Draft>): Draft;
  /**
   * Appends drafts, in order.
   *
   * @returns once the log has taken them; it is tried again with growing pauses until then
   * @throws TidemarkError `CLOSED` when the relay stops or is no longer the active one, nothing else
   */
  send(drafts: readonly Draft[]): Promise<void>;
  /**
   * What a source does before it gives up its own copy, such as by an acknowledgement: an append that was answered may have
   * been swallowed by the end of an epoch.
   *
   * @returns once all of them were read back from the log, in a proven reading of the epoch that is current; those that were not
   * are sent again
   * @throws as {@link Sender.send}
   */
  confirmed(drafts: readonly Draft[]): Promise<void>;
  /** Whether a record with this message id was read from the log, in a proven reading of the epoch that is current. */
  seen(id: string): boolean;
  /** Has the log prove what was read of it, where that concerns one of these messages: `seen` is told sooner. Never rejects. */
  prove(ids: readonly string[]): Promise<void>;
  /** What was applied here: as `Draft.lsnAfter`, asked for before a bound is read. `undefined` while nothing is known of the log. */
  mark(): Position | undefined;
}

/**
 * Where the relay finds changes.
 *
 * It does not promise that each change comes once: what was sent and not yet given up is sent again after a crash.
 */
export interface Source {
  /**
   * Called when this relay becomes the active one. What fails later is the source's to report and to try again.
   *
   * @param session the connection that holds the relay's lock: what is asked over it fails once this relay is not the active one
   */
  start(sender: Sender, session: Session): Promise<void>;
  /** Called when it no longer is, also after a `start` that has rejected. Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
  /** A part of the relay's status. */
  status(): unknown;
}

/** What a source may need from the start on. */
export interface SourceParts {
  readonly database: Database;
  /** Of the log: its clock, its logger, its name. */
  readonly context: PartContext;
  /** Where the relay keeps its tables. */
  readonly schema: string;
  /** Tells the relay's listeners, and its log. */
  readonly emit: (event: RelayEvent) => void;
}

/** Makes a source for one relay. Throws TidemarkError `INVALID_OPTION` where its own options are wrong; connects to nothing. */
export type SourceMaker = (parts: SourceParts) => Source;
