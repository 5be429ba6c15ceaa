import { TidemarkError, shorten } from './errors.ts';

/**
 * A place in the log. The number is issued by the log and strictly increases within the epoch; across epochs numbers
 * mean nothing. The first position of an epoch is 1; 0 stands before every record.
 */
export interface Position {
  /** One unbroken life of the log: 16 hexadecimal digits. */
  readonly epoch: string;
  readonly number: number;
}

/**
 * A position in the form that travels in headers and between services: opaque, safe in a URL. A write that could not
 * reach the log yet has a token without a position: every node answers it from the source of truth, or by what was
 * loaded there after it first saw this token.
 */
export type Token = string;

/** Of some write that has no position; it is new to every node each time. */
export const QUEUED_TOKEN: Token = '1.queued';

const EPOCH = /^[0-9a-f]{16}$/;
const QUEUED = /^1\.queued(\.[0-9a-f]{32})?$/;

/** An epoch made of 16 random hexadecimal digits; `random` returns numbers in [0, 1). */
export function newEpoch(random: () => number): string {
  let epoch = '';
  for (let i = 0; i < 4; i++)
    epoch += Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0');
  return epoch;
}

/**
 * @returns the number, if it is a position
 * @throws TidemarkError `POSITION_OUT_OF_RANGE` unless it is a safe integer that is not negative
 */
export function checkNumber(number: number): number {
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new TidemarkError(
    'POSITION_OUT_OF_RANGE',
    `Position ${shorten(number)} is not an integer from 0 to 2^53 - 1. The log's server clock or its stored head is wrong; start a new epoch by deleting the log's keys.`,
  );
}

/** The token of a position: format version, epoch, number in base 36. */
export function formatToken(position: Position): Token {
  return `1.${position.epoch}.${position.number.toString(36)}`;
}

/**
 * The token of a write that has no position.
 *
 * @param id 32 hexadecimal digits that no other token has
 */
export function queuedToken(id: string): Token {
  return `${QUEUED_TOKEN}.${id}`;
}

/**
 * @returns the position, or `undefined` for the token of a queued write
 * @throws TidemarkError `INVALID_TOKEN`
 */
export function parseToken(token: Token): Position | undefined {
  const read = readToken(token);
  if (read !== 'unreadable') return read;
  throw new TidemarkError(
    'INVALID_TOKEN',
    `${shorten(token)} is not a position token. Pass on the \`token\` of a receipt unchanged.`,
  );
}

/** {@link parseToken}, where what is no token is nobody's mistake here. */
export function readToken(token: Token): Position | undefined | 'unreadable' {
  if (typeof token === 'string' && QUEUED.test(token)) return undefined;
  const [version, epoch, digits, rest] = typeof token === 'string' ? token.split('.') : [];
  if (
    version === '1' &&
    epoch &&
    EPOCH.test(epoch) &&
    digits &&
    /^[0-9a-z]{1,11}$/.test(digits) &&
    rest === undefined
  ) {
    const number = Number.parseInt(digits, 36);
    if (Number.isSafeInteger(number)) return { epoch, number };
  }
  return 'unreadable';
}
