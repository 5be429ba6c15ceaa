import type { FollowerState, ResyncReason } from './follower.ts';
import type { LogOptions } from './log.ts';
import type { Position } from './position.ts';
import type { Draft, LogRecord } from './record.ts';

/** What a node tells about its part in the fleet. */
export type NodeEvent =
  /** It can prove its view fresh: it serves. */
  | { readonly type: 'attached'; readonly position: Position }
  /** It cannot: entries are withheld until it can again. */
  | { readonly type: 'detached'; readonly state: FollowerState; readonly cause: unknown }
  /** Another life of the log was adopted: every entry of the old one is unprovable. */
  | { readonly type: 'epoch'; readonly epoch: string; readonly before: string }
  /** The state of the log was copied anew, in the same epoch; entries were kept. */
  | { readonly type: 'resync'; readonly reason: ResyncReason; readonly position: Position }
  | { readonly type: 'applied'; readonly record: LogRecord }
  /** The log took a record of this node. */
  | { readonly type: 'sent'; readonly draft: Draft; readonly position: Position }
  /** The log did not take it in time: it covers its targets here, and is sent later. */
  | { readonly type: 'queued'; readonly draft: Draft; readonly cause: unknown }
  /** The queue was full: this many drafts were replaced by one that covers everything. */
  | { readonly type: 'overflowed'; readonly dropped: number }
  /** The log was created with other options than this node was given; the log's are used. */
  | { readonly type: 'options-differ'; readonly given: LogOptions; readonly used: LogOptions };
