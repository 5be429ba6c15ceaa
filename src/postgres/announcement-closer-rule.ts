/** Ids below are of no transaction: 1 and 2 stand for those before the database was made. */
const FIRST = 3n;

/**
 * Whether a transaction has ended for certain, and what it did can be seen.
 *
 * @param status `committed`, `aborted`, `in progress` (prepared ones included), `forgotten` where the server keeps no status of
 * transactions so old, `unborn` and `far` where no transaction with such an id has ended yet, by a little or by much
 * @param locked whether somebody held the lock on its id after the status was asked
 */
export function closable(xid: bigint, status: string, locked: boolean): boolean {
  return xid >= FIRST && !locked && ['committed', 'aborted', 'forgotten'].includes(status);
}
