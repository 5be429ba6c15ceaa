import { parseLsn } from './lsn.ts';
import type { WalChange, WalMessage, WalRelation } from './wal-message.ts';

/** What the client of the replication protocol gives, as far as it is used. */
export type PgoutputMessage =
  | { readonly tag: 'begin'; readonly xid: number; readonly commitLsn: string | null }
  | { readonly tag: 'commit'; readonly commitEndLsn: string | null }
  | ({ readonly tag: 'relation' } & WalRelation)
  | {
      readonly tag: 'message';
      readonly prefix: string;
      readonly transactional: boolean;
      readonly messageLsn: string | null;
      readonly content: Uint8Array;
    }
  | Extract<WalMessage, { readonly tag: 'truncate' | 'unreadable' }>
  | WalChange
  | { readonly tag: 'origin' | 'type' };

/** @throws TidemarkError `INVALID_RECORD` for a position that is none */
export function walMessage(message: PgoutputMessage): WalMessage {
  switch (message.tag) {
    case 'begin':
      return { tag: 'begin', xid: message.xid, commitLsn: parseLsn(message.commitLsn) };
    case 'commit':
      return { tag: 'commit', endLsn: parseLsn(message.commitEndLsn) };
    case 'relation':
      return { tag: 'relation', relation: message };
    case 'message': {
      const { prefix, transactional, content } = message;
      return { tag: 'message', prefix, transactional, content, lsn: parseLsn(message.messageLsn) };
    }
    case 'origin':
    case 'type':
      return { tag: 'other' };
    default:
      return message;
  }
}
