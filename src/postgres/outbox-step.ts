/** What is known of a row of the outbox, besides what it says. Times in ms. */
export interface OutboxRow {
  /** How long ago it was written, as the database says. */
  readonly age: number;
  /** How long ago it was first seen here. */
  readonly known: number;
  /** Whether the log has proven that it holds the row's message: appended by its writer, by this relay or another one. */
  readonly kept: boolean;
  /** Whether this relay has appended it, and nothing shows that this was in vain. */
  readonly out: boolean;
}

/**
 * What is to be done with a row. It is deleted when the log has proven that it holds its message, and never before:
 *
 * 1. The message is appended, by whomever. 2. The epoch ends, or the process dies. 3. The row is still there: it is appended
 * again, at worst a second time.
 *
 * Its writer appends it right after the commit, so it is left alone for a moment. (The database's clock only spares it that
 * moment where its time is over already, such as after a takeover; a wrong one costs a duplicate or a moment.)
 *
 * @param grace how long that is, in ms
 */
export function outboxStep({ age, known, kept, out }: OutboxRow, grace: number): 'delete' | 'send' | 'wait' {
  if (kept) return 'delete';
  if (out) return 'wait';
  return age >= grace || known >= grace ? 'send' : 'wait';
}
