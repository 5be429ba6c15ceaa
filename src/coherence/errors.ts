/** Every code a {@link TidemarkError} can carry. Codes are stable; messages are for people. */
export type ErrorCode =
  | 'INVALID_KEY'
  | 'INVALID_TAG'
  | 'INVALID_PATTERN'
  | 'INVALID_TARGET'
  | 'INVALID_TOKEN'
  | 'INVALID_OPTION'
  | 'INVALID_RECORD'
  | 'INVALID_ENVELOPE'
  | 'INVALID_QUERY'
  | 'UNSERIALISABLE'
  | 'POSITION_OUT_OF_RANGE'
  | 'LOAD_TIMEOUT'
  | 'NOT_COMMITTED'
  | 'NOT_READY'
  | 'NOT_CONSISTENT'
  | 'NOT_CONFIRMED'
  | 'BREAKER_OPEN'
  | 'UNAVAILABLE'
  | 'CLOSED';

/**
 * The one error class of the library. The message names what was wrong and the cure; `code` is for programs; `cause`
 * holds the error underneath, where there is one.
 */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An offending value, short enough for an error message or a log line. */
export function shorten(value: unknown, length = 60): string {
  let text: string;
  try {
    text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
