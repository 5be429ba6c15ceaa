import type { Changes } from './changes.ts';

/** Runs work in a savepoint of a transaction, and keeps what it collects only if the work resolves. */
export type RunSavepoint = <T>(changes: Changes, work: (inner: Changes) => Promise<T>) => Promise<T>;

/**
 * Savepoints for drivers that have none of their own.
 *
 * @param run sends a statement on the transaction's connection
 */
export function savepointsOf(run: (text: string) => Promise<unknown>): RunSavepoint {
  let made = 0;
  return async (changes, work) => {
    const name = `tidemark_${++made}`;
    await run(`SAVEPOINT ${name}`);
    return changes.nested(async (inner) => {
      try {
        const value = await work(inner);
        await run(`RELEASE SAVEPOINT ${name}`);
        return value;
      } catch (error) {
        await run(`ROLLBACK TO SAVEPOINT ${name}`);
        throw error;
      }
    });
  };
}
