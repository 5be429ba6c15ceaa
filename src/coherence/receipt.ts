import { parseToken, QUEUED_TOKEN, type Position, type Token, formatToken } from './position.ts';

/**
 * What became of an invalidation. Whatever the status, this node serves nothing older from now on.
 *
 * - `applied`: the record is in the log and in this node's table.
 * - `appended`: the record is in the log; this node could not confirm in time that it follows the log.
 * - `queued`: the log did not take it in time. It covers its targets here, and is sent as soon as the log answers.
 */
export interface Receipt {
  readonly status: 'applied' | 'appended' | 'queued';
  /** Hand it to other services, or to `with({ atLeast })`, to read this write. */
  readonly token: Token;
  /** How many entries were removed from the store, where it is told to free them at once; not of one that is queued. */
  readonly removed?: number;
  /**
   * Of an invalidation that asked to be acknowledged everywhere: whether no node of the fleet serves anything older now. `false`
   * where the log did not take it in time, or nobody could say which nodes there are.
   */
  readonly everywhere?: boolean;
  /**
   * Of a strict write: whether no reader anywhere is given anything older now, whatever they tolerate. `false` where its record
   * was not in the log in time, or nobody could say whether every node has it.
   */
  readonly strict?: boolean;
}

/** A receipt, or the token from one. */
export type AtLeast = Token | Pick<Receipt, 'token'>;

/** @param queued the token, where there is no position */
export function receiptOf(
  status: Receipt['status'],
  position: Position | undefined,
  queued: Token = QUEUED_TOKEN,
): Receipt {
  return Object.freeze({ status, token: position === undefined ? queued : formatToken(position) });
}

/** The position that a reader asks for; `undefined` for the token of a queued write. Throws `INVALID_TOKEN`. */
export function positionOf(atLeast: AtLeast): Position | undefined {
  return parseToken(typeof atLeast === 'object' ? atLeast.token : atLeast);
}
