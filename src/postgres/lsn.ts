import { shorten, TidemarkError } from '../coherence/errors.ts';

/**
 * A position of the database's log from its text, such as `0/16B3748` or `00000000/016B3748`.
 *
 * @throws TidemarkError `INVALID_RECORD` for anything else
 */
export function parseLsn(text: unknown): bigint {
  const [, high, low] = (typeof text === 'string' && /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)) || [];
  if (high === undefined || low === undefined)
    throw new TidemarkError('INVALID_RECORD', `${shorten(text)} is no position of a Postgres log, such as 0/16B3748.`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The text that Postgres reads as a `pg_lsn`. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}
