import { shorten, TidemarkError } from '../coherence/errors.ts';

/** What an error of the server means for capture, and the cure; the error itself where it means nothing in particular. */
export function captureError(error: unknown, slot: string): unknown {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  const mended = (text: string): TidemarkError => new TidemarkError('INVALID_OPTION', text, { cause: error });
  if (code === '42501' && /replication|WAL sender/i.test(message))
    return mended(
      'The role may not replicate. Run "ALTER ROLE ... REPLICATION;" as a superuser (in managed services grant what stands for it, such as rds_replication).',
    );
  if (code === '42501')
    return mended(
      `The role lacks a privilege: ${message}. It needs USAGE on the schema and SELECT, INSERT and UPDATE on the table capture.`,
    );
  if (code === '55006')
    return mended(`The replication slot ${shorten(slot)} is in use: ${message}. End its other reader.`);
  if (code === '53400')
    return mended(
      'The server has no replication slot left. Raise max_replication_slots and restart it, or drop a slot that nobody uses (SELECT * FROM pg_replication_slots WHERE NOT active).',
    );
  if (code === '53300' && /walsender|wal_senders|replication/i.test(message))
    return mended('The server has no WAL sender left. Raise max_wal_senders and restart it.');
  return error;
}
