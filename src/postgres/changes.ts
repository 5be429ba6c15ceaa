import { TidemarkError } from '../coherence/errors.ts';
import { type Target, targetList } from '../coherence/target.ts';

/** Collects what a transaction makes stale, while it runs. It counts once the transaction has committed, or never. */
export interface Collecting {
  /**
   * Collects what the targets cover. Nothing is invalidated before the commit, and nothing if there is none.
   *
   * @throws TidemarkError `INVALID_TARGET` for what no target is; `CLOSED` once the work of this transaction has ended, since
   * nobody would hear of it
   */
  invalidate(...targets: readonly Target[]): void;
  invalidate(targets: readonly Target[]): void;
}

/** What a transaction, or a part of it, makes stale. */
export interface Changes extends Collecting {
  /**
   * The part of a savepoint: what is collected in it counts only if `work` resolves.
   *
   * @param work runs inside the savepoint; rejects where the savepoint is rolled back to
   */
  nested<T>(work: (changes: Changes) => T | Promise<T>): Promise<T>;
  /** How much is collected so far: for layers whose savepoints begin and end by calls of their own. */
  mark(): number;
  /**
   * Drops what was collected between two marks, since a savepoint was rolled back to.
   *
   * @param from the mark taken once there was the savepoint: what was collected until then may belong to a statement before it
   * @param to the mark taken before it was rolled back to: what is collected from then on may belong to a statement after it
   */
  forget(from: number, to: number): void;
}

/** {@link Changes} of one transaction or savepoint. */
export class Collected implements Changes {
  #targets: Target[] = [];
  #open = true;

  invalidate(...args: readonly unknown[]): void {
    const targets = targetList(
      args.length === 1 ? args[0] : args,
      (shown) =>
        `invalidate: ${shown} is not a target. Use key(...), tag(...), pattern(...), everything() or query.at(...).`,
    );
    if (!this.#open)
      throw new TidemarkError(
        'CLOSED',
        'invalidate: the transaction has ended. Call it before the function given to transaction() resolves, and await all that it starts.',
      );
    this.#targets.push(...targets);
  }

  async nested<T>(work: (changes: Changes) => T | Promise<T>): Promise<T> {
    const inner = new Collected();
    try {
      const value = await work(inner);
      this.invalidate(inner.close());
      return value;
    } finally {
      inner.close();
    }
  }

  mark(): number {
    return this.#targets.length;
  }

  forget(from: number, to: number): void {
    this.#targets.splice(from, to - from);
  }

  /** Ends the collecting. Returns what was collected, each target once. */
  close(): readonly Target[] {
    this.#open = false;
    return [...new Set(this.#targets)];
  }
}
