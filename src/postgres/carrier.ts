import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Draft } from '../coherence/record.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { DATABASE_IDENTITY } from './announcement-id.ts';

/**
 * What carries a transaction's targets in case its process dies before they are in the log.
 *
 * - `outbox`: a row in a table, which the relay finds; needs `tidemark postgres migrate`
 * - `wal`: a message in the database's own log, which the relay's capture reads; needs no table, but a slot
 * - `none`: nothing. For databases whose changes are captured anyway, and for caches that may miss the writes of a process
 *   that has died
 */
export type Carrier = 'outbox' | 'wal' | 'none';

/** The name that capture knows its messages by, and the channel of notifications. */
export const CHANNEL = 'tidemark';

export interface CarrierOptions {
  readonly carrier: Carrier;
  /** The schema of the table. */
  readonly schema: string;
  /** Whether the relay is woken by a notification. */
  readonly notify: boolean;
}

/** One statement with its parameters, as text. */
export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

/**
 * The one statement that writes a draft down inside its transaction, and that tells which transaction it is where that is
 * needed (`xid` and `identity` in its row).
 *
 * @returns `undefined` where there is nothing to say or to ask
 */
export function carryStatement(draft: Draft, named: boolean, options: CarrierOptions): Statement | undefined {
  const asked = named ? [`pg_current_xact_id()::text AS xid`, `${DATABASE_IDENTITY} AS identity`] : [];
  if (options.carrier === 'none') return named ? { text: `SELECT ${asked.join(', ')}`, values: [] } : undefined;
  // As text, because every driver sends text the same way.
  const values = [Buffer.from(encodeDraft(draft)).toString('base64')];
  const message = `decode($1::text, 'base64')`;
  if (options.carrier === 'wal') {
    const emitted = `pg_logical_emit_message(true, '${CHANNEL}', ${message})::text AS carried`;
    return { text: `SELECT ${[emitted, ...asked].join(', ')}`, values };
  }
  const table = `${identifier(options.schema)}.outbox`;
  const notified = options.notify ? [`pg_notify('${CHANNEL}', '')::text AS carried`] : [];
  const answers = [...notified, ...asked];
  const insert = `INSERT INTO ${table} (message) VALUES (${message})`;
  if (answers.length === 0) return { text: insert, values };
  return { text: `WITH kept AS (${insert} RETURNING 1) SELECT ${answers.join(', ')} FROM kept`, values };
}

/**
 * A name as SQL takes it.
 *
 * @throws TidemarkError `INVALID_OPTION` for one that Postgres would cut or refuse
 */
export function identifier(name: string): string {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > 63 || name.includes('\0'))
    throw new TidemarkError('INVALID_OPTION', `${shorten(name)} is no name for Postgres. Give 1 to 63 bytes.`);
  return `"${name.replaceAll('"', '""')}"`;
}
