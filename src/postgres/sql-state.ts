/** The SQLSTATE of an error or of what caused it; system errors such as `EPIPE` have no digit in their codes. */
export function sqlState(error: unknown): string | undefined {
  for (let it = error, depth = 0; typeof it === 'object' && it !== null && depth < 5; depth++) {
    const { code, cause } = it as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code;
    it = cause;
  }
  return undefined;
}

/**
 * Whether a SQLSTATE that came of a COMMIT proves that it was not carried out. Losing the connection (class 08, 57P0x) does not,
 * nor does a proxy that says so (40003), nor an error within the server (58, XX): it may come after the commit.
 */
export function isRolledBack(state: string | undefined): boolean {
  return state !== undefined && !/^(08|40003|57P0|58|XX)/.test(state);
}

/** Whether the same transaction may succeed when it is run again: a serialization failure or a deadlock. */
export function isTransient(state: string | undefined): boolean {
  return state === '40001' || state === '40P01';
}

/** A statement was refused because an earlier one of its transaction had failed. */
export const IN_FAILED_TRANSACTION = '25P02';
