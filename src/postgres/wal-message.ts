/** How the old row of a change is told: by its key, not at all, or whole. */
export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index';

/** A table as it was when the change was made. */
export interface WalRelation {
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: ReplicaIdentity;
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
  /** The columns that an old row has for certain; all of them under `full`. */
  readonly keyColumns: readonly string[];
}

/** Values by column; `undefined` or missing where the log does not have it. */
export type WalTuple = Readonly<Record<string, unknown>>;

/** A row that was changed. */
export type WalChange =
  | { readonly tag: 'insert'; readonly relation: WalRelation; readonly new: WalTuple }
  | {
      readonly tag: 'update';
      readonly relation: WalRelation;
      /** Of the old row; there if the key has changed, under any identity but `full`. */
      readonly key: WalTuple | null;
      /** The whole old row, under `full`. */
      readonly old: WalTuple | null;
      readonly new: WalTuple;
    }
  | {
      readonly tag: 'delete';
      readonly relation: WalRelation;
      readonly key: WalTuple | null;
      readonly old: WalTuple | null;
    };

/** What a replication stream says, of which capture needs this much. Transactions come whole, in the order of their commits. */
export type WalMessage =
  | WalChange
  | {
      readonly tag: 'begin';
      /** Its id's lower 32 bits. */
      readonly xid: number;
      /** Where its commit stands in the log: whoever acknowledges no more than this is sent it again. */
      readonly commitLsn: bigint;
    }
  | { readonly tag: 'commit' /** Behind its commit. */; readonly endLsn: bigint }
  | { readonly tag: 'relation'; readonly relation: WalRelation }
  | {
      readonly tag: 'truncate';
      /** `undefined` where the stream has not described it. */
      readonly relations: readonly (WalRelation | undefined)[];
    }
  | {
      readonly tag: 'message';
      readonly prefix: string;
      readonly transactional: boolean;
      readonly lsn: bigint;
      readonly content: Uint8Array;
    }
  /** Something that could not be read. */
  | { readonly tag: 'unreadable'; readonly error: unknown }
  /** Something that does not matter. */
  | { readonly tag: 'other' };
