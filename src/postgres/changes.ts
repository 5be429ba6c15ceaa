import { shorten, TidemarkError } from '../coherence/errors.ts';
import { isTarget, type Target } from '../coherence/target.ts';

/** What a transaction makes stale, collected while it runs. It counts once the transaction has committed, or never. */
export interface Changes {
  /**
   * Collects what the targets cover. Nothing is invalidated before the commit, and nothing if there is none.
   *
   * @throws TidemarkError `INVALID_TARGET` for what no target is; `CLOSED` once the work of this transaction has ended, since
   * nobody would hear of it
   */
  invalidate(...targets: readonly Target[]): void;
  invalidate(targets: readonly Target[]): void;
  /**
   * The part of a savepoint: what is collected in it counts only if `work` resolves.
   *
   * @param work runs inside the savepoint; rejects where the savepoint is rolled back to
   */
  nested<T>(work: (changes: Changes) => T | Promise<T>): Promise<T>;
  /** How much is collected so far: for layers whose savepoints begin and end by calls of their own. */
  mark(): number;
  /**
   * Drops what was collected after a mark: its savepoint was rolled back to.
   *
   * @param mark from {@link mark}
   */
  forget(mark: number): void;
}

/** {@link Changes} of one transaction or savepoint. */
export class Collected implements Changes {
  #targets: Target[] = [];
  #open = true;

  invalidate(...args: readonly unknown[]): void {
    const targets: readonly unknown[] = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
    for (const it of targets) {
      if (isTarget(it)) continue;
      throw new TidemarkError(
        'INVALID_TARGET',
        `invalidate: ${shorten(it)} is not a target. Use key(...), tag(...), pattern(...), everything() or query.at(...).`,
      );
    }
    if (!this.#open)
      throw new TidemarkError(
        'CLOSED',
        'invalidate: the transaction has ended. Call it before the function given to transaction() resolves, and await all that it starts.',
      );
    this.#targets.push(...(targets as readonly Target[]));
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

  forget(mark: number): void {
    this.#targets.length = Math.min(mark, this.#targets.length);
  }

  /** Ends the collecting. Returns what was collected, each target once. */
  close(): readonly Target[] {
    this.#open = false;
    return [...new Set(this.#targets)];
  }
}
