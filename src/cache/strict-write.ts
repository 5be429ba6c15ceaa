import type { Announced } from '../coherence/announcer.ts';
import { checkDetails } from '../coherence/cause.ts';
import type { Duration } from '../coherence/duration.ts';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause, DraftDetails, Lsn } from '../coherence/record.ts';

/** Options of `announce`. */
export interface AnnounceOptions {
  /**
   * The message id of the announcement: 32 lower-case hexadecimal digits, not all zero; default one of this node's own. Whoever is
   * to close it should this process die, such as a relay, knows it by this id.
   */
  readonly id?: string;
  /** How long every node may take to confirm it; default `'5s'`. */
  readonly timeout?: Duration;
  readonly cause?: Cause;
}

/** Options of `committed`; as those of `invalidate`. */
export interface CommittedOptions {
  /** The message id of the record that closes the announcement. */
  readonly id?: string;
  /** An upper bound of the database's log position, read after the commit; for readers of replicas. */
  readonly lsn?: Lsn;
  /** From `cache.mark()`, taken before `lsn` was read. */
  readonly lsnMark?: Token;
  readonly cause?: Cause;
}

/**
 * A write whose targets are withheld on every node: send COMMIT, and say what became of it. Until somebody does, nothing that they
 * cover is served from any cache; it is loaded for each who asks.
 */
export interface StrictWrite {
  /** The message id of the announcement. */
  readonly id: string;
  /**
   * The transaction has committed: appends the record that closes the announcement. Resolves when no reader anywhere is given
   * anything older, or, after at most about twice `maxLag`, with a receipt whose `strict` is `false`. Never rejects because of the
   * log. A second call returns the same.
   *
   * @throws TidemarkError `INVALID_OPTION` for an id, cause or LSN that cannot be written; then nothing was done
   */
  committed(options?: CommittedOptions): Promise<Receipt>;
  /**
   * The transaction was rolled back, for certain: closes the announcement. What it covers is loaded once more, so that a mistake
   * costs a load and not the truth.
   */
  rolledBack(): Promise<Receipt>;
  /**
   * Nobody here knows how it ended. It stays open until somebody closes it who does, such as a relay that asks the database; this
   * process goes on announcing it in each new epoch until it sees that.
   */
  unknown(): void;
}

/**
 * @param details what the options of a commit come to
 * @param finish told how its record went
 */
export function strictWrite(
  announced: Announced,
  details: (options: CommittedOptions) => DraftDetails,
  finish: (receipt: Receipt, options: CommittedOptions) => Promise<Receipt>,
): StrictWrite {
  let committed: Promise<Receipt> | undefined;
  let rolledBack: Promise<Receipt> | undefined;
  const commit = async (options: CommittedOptions, about: DraftDetails): Promise<Receipt> =>
    finish(await announced.commit(about), options);
  return {
    id: announced.id,
    async committed(options = {}) {
      checkDetails(options);
      committed ??= commit(options, details(options));
      return committed;
    },
    async rolledBack() {
      rolledBack ??= committed ?? announced.close();
      return rolledBack;
    },
    unknown() {
      // Nothing has to be done for it: what is open stays open.
    },
  };
}
