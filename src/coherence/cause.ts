import { shorten, TidemarkError } from './errors.ts';
import type { Cause, Lsn } from './record.ts';

const TEXTS = ['event', 'entityType', 'entityId', 'action', 'trace'] as const;

const LARGEST_LSN = 2n ** 64n - 1n;

const MESSAGE_ID = /^[0-9a-f]{32}$/;
/** What records carry in the place of an id that there is not. */
const NO_ID = '0'.repeat(32);

/** What a user may say about a change, as far as a record carries it. */
export interface Details {
  readonly id?: string | undefined;
  readonly cause?: Cause | undefined;
  readonly lsn?: Lsn;
}

/**
 * Checks what a user says about a change, before its draft is queued: one that cannot be written would be tried for ever.
 *
 * @throws TidemarkError `INVALID_OPTION` naming the field and the cure
 */
export function checkDetails({ id, cause, lsn }: Details): void {
  if (id !== undefined) checkMessageId(id);
  const within = typeof lsn === 'bigint' && lsn >= 0n && lsn <= LARGEST_LSN;
  if (lsn !== undefined && lsn !== 'unknown' && !within)
    throw invalid('lsn', lsn, "a bigint of 64 bits, or 'unknown'. Convert it: BigInt(`0x...`)");
  if (cause !== undefined) checkCause(cause);
}

/** @throws TidemarkError `INVALID_OPTION` unless it is 32 lower-case hexadecimal digits, not all of them zero */
function checkMessageId(id: string): string {
  if (typeof id === 'string' && MESSAGE_ID.test(id) && id !== NO_ID) return id;
  throw invalid('id', id, "32 lower-case hexadecimal digits, not all zero. Take randomBytes(16).toString('hex')");
}

function checkCause(cause: unknown): void {
  if (!isObject(cause)) throw invalid('cause', cause, "an object such as { event: 'budget.updated' }");
  for (const name of TEXTS) checkText(`cause.${name}`, cause[name]);
  const { fields } = cause;
  if (fields === undefined) return;
  if (!isObject(fields)) throw invalid('cause.fields', fields, "an object of texts such as { org: 'ORG1' }");
  for (const [name, value] of Object.entries(fields)) checkText(`cause.fields.${name}`, value);
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw invalid(name, value, 'a text. Convert it: String(value)');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(name: string, value: unknown, cure: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${name}: ${shorten(value)} is not ${cure}.`);
}
