import type { Announcement } from './announcements.ts';
import type { Ban } from './bans.ts';
import type { Label } from './label.ts';

/** The log's own knowledge about some labels, read as of one position. */
export interface ServerAnswer {
  readonly epoch: string;
  readonly head: number;
  readonly floor: number;
  /** The newest position of each label asked for, in order. */
  readonly newest: readonly number[];
  readonly bans: readonly Ban[];
  readonly announcements: readonly Announcement[];
  /** As in `Reading.provenAt`: an answer that is not proven may come from an isolated server and decides nothing. */
  readonly provenAt: number | undefined;
}

/**
 * Asks the log's server about labels, for a node whose follower is down while the server answers.
 *
 * It must be asked *after* the entry was read, for all labels of the entry: only the entry knows them all. It does not
 * promise that the node's own table knows less: both are checked.
 */
export interface ServerCheck {
  check(labels: readonly Label[]): Promise<ServerAnswer>;
}
