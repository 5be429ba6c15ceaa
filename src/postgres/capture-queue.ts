import type { Draft } from '../coherence/record.ts';
import { everything, type Target } from '../coherence/target.ts';
import type { CapturedTransaction } from './capture-transaction.ts';
import { beyond, coveragesOf, Pile } from './coalesce.ts';
import type { Sender } from './source.ts';
import { fullXid, isVisible, type SnapshotView } from './visibility.ts';

/** What is appended together: of transactions that everybody sees. */
export interface CaptureBatch {
  readonly drafts: readonly Draft[];
  readonly transactions: number;
  /** What of the log it stands for: nothing from here on may be acknowledged before the batch is in the log. */
  readonly from: bigint;
}

export interface CaptureQueueParts {
  /** Whether a message is in the log. */
  readonly seen: (id: string) => boolean;
  /** How long a message that everybody could have appended is left to its writer, in ms. */
  readonly grace: number;
  /** Targets that wait; beyond it they become everything. */
  readonly most: number;
  readonly draft: Sender['draft'];
  /** Messages that their writers have appended. */
  readonly direct: (messages: number) => void;
}

/** A message whose transaction is visible, left to its writer for a moment. */
interface Held {
  readonly message: Draft;
  readonly commitLsn: bigint;
  readonly until: number;
}

const EVERYTHING = everything();
/** Messages that are held; beyond it they become everything. */
const MOST_HELD = 10_000;

/**
 * Transactions on their way from the database's log to the caches':
 *
 * `waiting` (committed; not known to be visible) -> `ready` (visible; collected, each target once) -> `taken` as a batch, which
 * the caller appends -> `appended` -> done, once that is certain. Messages are `held` between waiting and ready.
 *
 * What is ready is bounded, what waits is bounded by the connections that the server has: a transaction that is not visible
 * holds one.
 */
export class CaptureQueue {
  readonly #parts: CaptureQueueParts;
  #waiting: CapturedTransaction[] = [];
  #held: Held[] = [];
  #ready: Ready;
  /** Batches that were taken and are not appended, and those that are and are not done. */
  readonly #taken = new Set<CaptureBatch>();
  readonly #appended = new Set<CaptureBatch>();

  constructor(parts: CaptureQueueParts) {
    this.#parts = parts;
    this.#ready = new Ready(parts.most);
  }

  /** Whether a snapshot could bring anything on. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** How many are not visible yet, as far as is known. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Messages that are left to their writers for a moment. */
  get held(): readonly string[] {
    return this.#held.map(({ message }) => message.id);
  }

  /** How long until a held message is due, in ms. */
  dueIn(now: number): number | undefined {
    const [first] = this.#held;
    return first === undefined ? undefined : Math.max(0, first.until - now);
  }

  add(transaction: CapturedTransaction): void {
    this.#waiting.push(transaction);
  }

  /**
   * Takes note of who is visible.
   *
   * @param snapshot taken after all that wait were added, or before: who is not in it waits on
   */
  look(snapshot: SnapshotView, now: number): void {
    const waiting: CapturedTransaction[] = [];
    for (const it of this.#waiting) {
      if (it.xid === undefined || isVisible(fullXid(it.xid, snapshot), snapshot)) this.#becomeVisible(it, now);
      else waiting.push(it);
    }
    this.#waiting = waiting;
  }

  #becomeVisible({ targets, messages, commitLsn, endLsn }: CapturedTransaction, now: number): void {
    // What its messages cover as well is in the log once they are.
    const own = messages.length === 0 ? targets : beyond(targets, messages);
    this.#ready.count();
    if (own.length > 0) this.#ready.add(own, commitLsn, endLsn);
    for (const message of messages)
      this.#held.push({ message: { ...message, lsn: endLsn }, commitLsn, until: now + this.#parts.grace });
  }

  /** What is to be appended now, if anything is. The caller says {@link CaptureQueue.done} once it is in the log. */
  take(now: number): CaptureBatch | undefined {
    this.#release(now);
    if (this.#ready.isEmpty) return undefined;
    const batch = this.#ready.batch(this.#parts.draft);
    this.#ready = new Ready(this.#parts.most);
    this.#taken.add(batch);
    return batch;
  }

  /** Messages that are in the log are done; those whose time is over become ready. */
  #release(now: number): void {
    const held: Held[] = [];
    const crowded = this.#held.length > MOST_HELD;
    let direct = 0;
    for (const it of this.#held) {
      if (this.#parts.seen(it.message.id)) direct++;
      else if (it.until <= now || crowded) this.#ready.addMessage(it.message, it.commitLsn);
      else held.push(it);
    }
    this.#held = held;
    if (direct > 0) this.#parts.direct(direct);
  }

  /** The log has answered for a batch. */
  appended(batch: CaptureBatch): void {
    this.#taken.delete(batch);
    this.#appended.add(batch);
  }

  /** A batch is in the log for certain. */
  done(batch: CaptureBatch): void {
    this.#taken.delete(batch);
    this.#appended.delete(batch);
  }

  /** Where the first stands that is not certain to be in the log; `undefined` if all are. Nothing from here on may be acknowledged. */
  get outstanding(): bigint | undefined {
    let first = this.unappended;
    for (const { from } of this.#appended) if (first === undefined || from < first) first = from;
    return first;
  }

  /** Where the first stands that was not appended. */
  get unappended(): bigint | undefined {
    let first: bigint | undefined;
    const note = (lsn: bigint | undefined): void => {
      if (lsn !== undefined && (first === undefined || lsn < first)) first = lsn;
    };
    for (const { commitLsn } of this.#waiting) note(commitLsn);
    for (const { commitLsn } of this.#held) note(commitLsn);
    note(this.#ready.from);
    for (const { from } of this.#taken) note(from);
    return first;
  }
}

/** What is visible and not taken yet. */
class Ready {
  readonly #pile: Pile;
  #messages: Draft[] = [];
  readonly #most: number;
  #transactions = 0;
  #lsn = 0n;
  from: bigint | undefined;

  constructor(most: number) {
    this.#most = most;
    this.#pile = new Pile(most);
  }

  get isEmpty(): boolean {
    return this.#pile.size === 0 && this.#messages.length === 0;
  }

  count(): void {
    this.#transactions++;
  }

  add(targets: readonly Target[], commitLsn: bigint, endLsn: bigint): void {
    this.#pile.add(targets);
    this.#note(commitLsn, endLsn);
  }

  addMessage(message: Draft, commitLsn: bigint): void {
    if (this.#messages.length < this.#most) this.#messages.push(message);
    else this.#pile.add([EVERYTHING]);
    this.#note(commitLsn, message.lsn as bigint);
  }

  #note(commitLsn: bigint, endLsn: bigint): void {
    if (this.from === undefined || commitLsn < this.from) this.from = commitLsn;
    if (endLsn > this.#lsn) this.#lsn = endLsn;
  }

  batch(draft: CaptureQueueParts['draft']): CaptureBatch {
    const lsn = this.#lsn;
    const drafts = coveragesOf(this.#pile.targets()).map(({ targets, ...coverage }) =>
      draft(coverage, { lsn, targets }),
    );
    return { drafts: [...this.#messages, ...drafts], transactions: this.#transactions, from: this.from ?? lsn };
  }
}
