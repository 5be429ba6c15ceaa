import { createHash } from 'node:crypto';

/** Which transaction of which database an announcement belongs to. */
export interface AnnouncedTransaction {
  /** The transaction's 64-bit id, as `pg_current_xact_id()` gives it. */
  readonly xid: bigint;
  /** 8 hexadecimal digits, see {@link databaseMark}. */
  readonly database: string;
}

/**
 * The message id of a strict write's announcement names its transaction, so that a relay that knows nothing but the open
 * announcements can ask the database what became of it: 16 hexadecimal digits of the transaction's id, 8 of the database, 8
 * random ones.
 *
 * @param random 8 hexadecimal digits
 */
export function announcementId({ xid, database }: AnnouncedTransaction, random: string): string {
  return xid.toString(16).padStart(16, '0') + database + random;
}

/** What {@link announcementId} was made of, whoever has made it: the caller compares the database with its own. */
export function transactionOf(id: string): AnnouncedTransaction {
  return { xid: BigInt(`0x${id.slice(0, 16)}`), database: id.slice(16, 24) };
}

/**
 * Tells databases that share a log apart.
 *
 * @param identity the system identifier of the server and the id of the database, see {@link DATABASE_IDENTITY}
 * @returns 8 hexadecimal digits
 */
export function databaseMark(identity: string): string {
  return createHash('sha256').update(identity).digest('hex').slice(0, 8);
}

/** An expression of SQL that gives the identity of the database: no other has it but its own replicas and restored copies. */
export const DATABASE_IDENTITY =
  "(SELECT s.system_identifier || '/' || d.oid FROM pg_control_system() s, pg_database d WHERE d.datname = current_database())";
