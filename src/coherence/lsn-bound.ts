import type { Draft, Lsn } from './record.ts';

/**
 * An upper bound of the commits behind a run of records: what a replica must have replayed to be as new as they are.
 *
 * Bounds arrive in the order of appends, not of their reading: 1. A reads its bound, 90. 2. B commits, reads 100, appends.
 * 3. A appends. So the largest counts. A record without a known bound leaves a doubt, which ends only by a bound that was
 * read after its maker had applied that record: the commit in doubt was visible then.
 */
export class LsnBound {
  #bound: bigint | undefined;
  /** The newest record whose commit has no known bound; 0 where there is none. */
  #doubt = 0;

  /** `'unknown'` while a commit is in doubt, `undefined` where no database was named. */
  get value(): Lsn {
    return this.#doubt > 0 ? 'unknown' : this.#bound;
  }

  /** Takes in a record at `number` of `epoch`. */
  take({ lsn, lsnAfter }: Pick<Draft, 'lsn' | 'lsnAfter'>, epoch: string, number: number): void {
    if (lsn === undefined) return;
    if (lsn === 'unknown') {
      this.#doubt = Math.max(this.#doubt, number);
      return;
    }
    this.#raise(lsn);
    if (lsnAfter !== undefined && lsnAfter.epoch === epoch && lsnAfter.number >= this.#doubt) this.#doubt = 0;
  }

  /** Takes in what a log says of all records up to its head. */
  copy(lsn: Lsn, head: number): void {
    if (lsn === 'unknown') this.#doubt = Math.max(this.#doubt, head, 1);
    else if (this.#doubt <= head) this.#doubt = 0;
    if (typeof lsn === 'bigint') this.#raise(lsn);
  }

  clone(): LsnBound {
    const copy = new LsnBound();
    copy.#bound = this.#bound;
    copy.#doubt = this.#doubt;
    return copy;
  }

  #raise(lsn: bigint): void {
    if (this.#bound === undefined || lsn > this.#bound) this.#bound = lsn;
  }
}
