import type { Receipt, Rules } from 'tidemark';
import type { Sql, Transaction } from './database.ts';
import type { DomainEvent } from './events.ts';

/** What a command did inside its transaction, and the event that tells the others. */
export interface Change<T> {
  readonly data: T;
  readonly event: DomainEvent;
}

/** A change that is committed. */
interface Committed<T> {
  readonly data: T;
  readonly event: DomainEvent['type'];
  /** How far its invalidation got. `applied`: no read that begins here from now on is answered with older figures. */
  readonly invalidation: Receipt['status'] | 'none';
}

/** Runs a command in a transaction, and raises its event once that is committed. */
export type Commit = <T>(command: (tx: Transaction) => Promise<Change<T>>) => Promise<Committed<T>>;

/**
 * The order that keeps the cache true: change, COMMIT, event, answer. With the event before the commit, a read between
 * the two would load the old rows, and they would count as fresh.
 */
export function createCommit(sql: Sql, rules: Rules<DomainEvent>): Commit {
  return async <T>(command: (tx: Transaction) => Promise<Change<T>>) => {
    let change = undefined as Change<T> | undefined;
    try {
      await sql.begin(async (tx) => {
        change = await command(tx);
      });
    } catch (error) {
      // The command was through, so it is the COMMIT that failed, perhaps only its answer: the change may be there.
      // An event too many costs a load; one too few would leave old figures in the cache.
      if (change) await rules.handle(change.event);
      throw error;
    }
    if (!change) throw new Error('a transaction was committed without running its command');
    const receipt = await rules.handle(change.event);
    return { data: change.data, event: change.event.type, invalidation: receipt?.status ?? 'none' };
  };
}
