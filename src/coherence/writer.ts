import type { Clock } from './clock.ts';
import { within } from './deadline.ts';
import { shorten, TidemarkError } from './errors.ts';
import type { Follower } from './follower.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import type { Appended, InvalidationLog } from './log.ts';
import { Pause } from './pause.ts';
import { checkNumber, type Position, type Token } from './position.ts';
import type { Receipt } from './receipt.ts';
import { receiptOf } from './receipt.ts';
import type { Draft } from './record.ts';
import { type GrowingDraft, join } from './shared-draft.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Target } from './target.ts';
import type { View } from './view.ts';

export interface WriterParts {
  readonly log: InvalidationLog;
  readonly view: View;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly random: () => number;
  readonly hooks: WriterHooks;
  /** How long an invalidation is retried before its receipt says `queued`, in ms. */
  readonly patience: number;
  /** Most drafts that wait before they are replaced by one `everything`. */
  readonly maxQueue: number;
  /** Makes the token of a write that has no position; no two are the same. */
  readonly makeToken: () => Token;
  /** The id of the draft that replaces a full queue. */
  readonly makeEverything: () => GrowingDraft;
  /** What this node has announced in other epochs than this one, and not closed yet. */
  readonly unannounced?: (epoch: string) => readonly GrowingDraft[];
  readonly removed?: RemovedGuards;
}

export interface WriterHooks {
  queued(draft: Draft, cause: unknown): void;
  sent(draft: Draft, position: Position): void;
  overflowed(dropped: number): void;
}

/**
 * One invalidation on its way:
 *
 * - waiting: in `#waiting`, not yet taken by the log
 * - crossed: taken, but in an epoch that is not the view's; `position` is set, it still covers its targets. The next copy
 *   makes it own, or sends it again
 * - own: taken in the epoch of the view; kept in `#own` until a proven head has passed it
 *
 * `covering` says whether its targets are in the view's pending set; `settled` whether its receipt was given.
 */
interface Item {
  readonly draft: GrowingDraft;
  readonly since: number;
  readonly resolve: (receipt: Receipt) => void;
  /** What every call whose targets are in the draft is given. */
  readonly receipt: Promise<Receipt>;
  /** How many calls have their targets in the draft. */
  calls: number;
  /** Whether the draft must stay as it is: it was handed to the log, or its id says elsewhere what it covers. */
  sealed: boolean;
  position: Position | undefined;
  covering: boolean;
  settled: boolean;
}

/** Most drafts in one append. */
const BATCH = 500;

/** Most labels in one append, unless a single draft has more: a server does nothing else while it writes them down. */
const BATCH_LABELS = 3_000;

const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 1_000;

/**
 * Carries this node's invalidations to the log: in order, those of one tick together, again until the log has taken
 * them, and again if an epoch ends before they were certain.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #removed: RemovedGuards;
  #waiting: Item[] = [];
  #crossed: Item[] = [];
  #own: Item[] = [];
  #ownLimit: number;
  #sending = false;
  #stopped = false;
  /** How often in succession a copy has shown that the epoch of an append was over. */
  #crossings = 0;
  /** The epoch, not adopted yet, for which answers under way were dropped. */
  #dropped: string | undefined;
  readonly #pauses: Pause;
  #cancelPatience: (() => void) | undefined;
  /** What the last append failed with, if it did. */
  #refusal: unknown;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
    this.#ownLimit = parts.maxQueue;
    this.#pauses = new Pause(parts.clock);
  }

  /** Calls whose drafts the log has not taken yet. */
  get unsent(): number {
    return this.#waiting.reduce((calls, item) => calls + item.calls, 0);
  }

  /**
   * Lets targets of which nothing else is told travel with the last draft that waits, where that is possible.
   *
   * @returns the receipt of that draft; `undefined` where they need one of their own
   */
  join(targets: readonly Target[]): Promise<Receipt> | undefined {
    const last = this.#waiting.at(-1);
    if (last === undefined || last.sealed || last.covering || last.settled || !join(last.draft, targets))
      return undefined;
    last.calls++;
    return last.receipt;
  }

  /**
   * Appends a draft; resolves when its record is applied here, or with what is true after a short patience. Never rejects.
   *
   * @param sealed whether nothing may travel with it
   */
  write(draft: GrowingDraft, sealed = false): Promise<Receipt> {
    const item = this.#item(draft, sealed);
    this.#waiting.push(item);
    if (this.#stopped) this.#loseInPatience(this.#parts.patience, 'closed');
    else {
      this.#begin();
      this.#startPatience(this.#parts.patience);
    }
    return item.receipt;
  }

  #begin(): void {
    if (this.#sending) return;
    this.#sending = true;
    queueMicrotask(() => void this.#send());
  }

  /**
   * Appends an announcement. Nobody waits for its receipt: `sent` tells where it is, each time it was appended. It is appended
   * again in other epochs, see `unannounced`.
   */
  announce(draft: GrowingDraft): void {
    this.#waiting.push({ ...this.#item(draft, true), settled: true });
    if (!this.#stopped) this.#begin();
  }

  #item(draft: GrowingDraft, sealed: boolean): Item {
    let resolve: (receipt: Receipt) => void = () => {};
    const receipt = new Promise<Receipt>((done) => {
      resolve = done;
    });
    const since = this.#parts.stopwatch.now();
    return {
      draft,
      since,
      resolve,
      receipt,
      calls: 1,
      sealed,
      position: undefined,
      covering: false,
      settled: false,
    };
  }

  /** Before another epoch is adopted: own records that may be lost with the old one cover their targets again, and are sent again. */
  beforeAdopt(epoch: string): void {
    if (!this.#has('appendAgain')) {
      for (const item of this.#own) this.#settle(item, 'applied');
      this.#own = [];
      return this.#announceAgain(epoch);
    }
    const lost = [...this.#own, ...this.#crossed].filter((item) => item.position?.epoch !== epoch);
    this.#own = this.#own.filter((item) => item.position?.epoch === epoch);
    this.#crossed = this.#crossed.filter((item) => item.position?.epoch === epoch);
    this.#again(lost);
    this.#announceAgain(epoch);
    this.#wake();
  }

  /**
   * After a copy was adopted: records that were appended in its epoch before have a position that means something now.
   *
   * What was appended in another epoch is in no log that anybody reads:
   * 1. An append is carried out; its answer is slow. 2. The log begins another epoch, which is adopted here. 3. The answer
   * arrives, with the old epoch. 4. A copy asked for after that (earlier ones were dropped) says which epoch the log is in.
   * So it is sent again; after a pause that grows, because two connections may lead to two servers for a while.
   */
  afterAdopt(): void {
    const { view } = this.#parts;
    this.#dropped = undefined;
    const crossed = this.#crossed;
    const dead = crossed.filter((item) => item.position?.epoch !== view.epoch);
    this.#crossed = this.#has('appendAgain') ? [] : dead;
    for (const item of crossed) if (item.position?.epoch === view.epoch) this.#owned(item, item.position);
    if (dead.length === 0 || this.#crossed.length > 0) return this.#wake();
    this.#again(dead);
    this.#announceAgain(view.epoch);
    this.#wake(pauseAfter(this.#crossings++));
  }

  /** A proven head has passed these: no failover that the log survives in this epoch can lose them. */
  confirmed(epoch: string, head: number): void {
    if (this.#own.length > 0)
      this.#own = this.#own.filter((item) => item.position?.epoch !== epoch || item.position.number > head);
  }

  /** Out of a pause between attempts, tries at once. */
  hurry(): void {
    this.#pauses.end();
  }

  /** Waits until everything was taken by the log, at most `ms` milliseconds; then stops. Returns how many drafts were not sent. */
  async close(ms: number): Promise<number> {
    const { clock } = this.#parts;
    if (this.#waiting.length > 0 && ms > 0) {
      this.#pauses.end(); // A pause between attempts may be longer than the drain.
      await new Promise<void>((resolve) => {
        const cancel = clock.schedule(ms, resolve);
        this.#drained = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#stopped = true;
    this.#cancelPatience?.();
    this.#pauses.end();
    for (const item of this.#waiting) this.#becomeQueued(item, 'closed');
    return this.unsent;
  }

  #drained: (() => void) | undefined;

  /**
   * What is announced in other epochs is announced in this one too, and covers what it names until it is, so that this node does
   * not attach before. So does what closes an announcement and is still to be appended: it takes the announcement's place.
   */
  #announceAgain(epoch: string): void {
    if (!this.#has('reannounce')) return;
    for (const item of this.#waiting) if (item.draft.kind === 'close') this.#coverWith(item);
    const known = new Set([...this.#waiting, ...this.#crossed].map((item) => item.draft));
    const missing = (this.#parts.unannounced?.(epoch) ?? []).filter((draft) => !known.has(draft));
    // Before all others, so that nobody's patience is measured by them.
    const items = missing.map((draft) => ({
      ...this.#item(draft, true),
      since: Number.NEGATIVE_INFINITY,
      settled: true,
    }));
    for (const item of items) this.#coverWith(item);
    this.#waiting = [...items, ...this.#waiting];
  }

  /** Their positions are worth nothing any more: they cover their targets, and are sent again before all others. */
  #again(lost: readonly Item[]): void {
    // What was announced may be closed by now, and would stay open if it was announced after that.
    for (const item of lost) if (item.draft.kind === 'announce') this.#uncover(item);
    const items = lost.filter((item) => item.draft.kind !== 'announce');
    for (const item of items) {
      item.position = undefined;
      this.#coverWith(item);
    }
    this.#waiting = [...items, ...this.#waiting];
    this.#boundQueue();
    if (this.#stopped) for (const item of items) this.#becomeQueued(item, 'closed');
    else if (items.some((item) => !item.settled)) this.#startPatience(1);
  }

  async #send(): Promise<void> {
    let failures = 0;
    while (this.#waiting.length > 0 && !this.#stopped) {
      const batch = this.#waiting.slice(0, this.#batchLength());
      for (const item of batch) item.sealed = true;
      try {
        const appended = checked(await this.#append(batch.map((item) => item.draft)), batch.length);
        // What was replaced by one `everything` meanwhile is not in the queue any more.
        const taken = new Set(batch);
        this.#waiting = this.#waiting.filter((item) => !taken.has(item));
        this.#taken(batch, appended);
        failures = 0;
        this.#refusal = undefined;
      } catch (error) {
        this.#refusal = error;
        this.#loseInPatience(0, error);
        await this.#pause(pauseAfter(failures++));
      }
    }
    this.#sending = false;
    this.#drained?.();
  }

  #batchLength(): number {
    let labels = 0;
    const past = this.#waiting.findIndex(
      ({ draft }, i) => i >= BATCH || (labels += draft.labels.length) > BATCH_LABELS,
    );
    return past === -1 ? this.#waiting.length : Math.max(1, past);
  }

  #append(drafts: readonly Draft[]): Promise<Appended> {
    const { log, clock, follower } = this.#parts;
    return within(
      clock,
      follower.options.maxLag,
      log.append(drafts),
      () => new Error('the log did not take the records in time'),
    );
  }

  #taken(batch: readonly Item[], { epoch, numbers }: Appended): void {
    const { view, follower, hooks } = this.#parts;
    const crossed = epoch !== view.epoch && this.#has('crossedEpoch');
    // The number means nothing in the epoch of this view, and every answer asked for before the append may lack the record.
    // Only the first append of that epoch drops them: with one write in the time of a copy no copy would ever arrive, and the
    // positions of all of them are written at the adoption.
    if (!crossed) this.#crossings = 0;
    else if (this.#dropped !== epoch) {
      this.#dropped = epoch;
      follower.drop();
    }
    batch.forEach((item, i) => {
      const position = { epoch, number: numbers[i] as number };
      hooks.sent(item.draft, position);
      if (!crossed) return this.#owned(item, position);
      item.position = position;
      this.#coverWith(item);
      this.#crossed.push(item);
      void this.#await(item, position);
    });
  }

  /** Its position goes into the own table at once, before the receipt and before anything else can be read. */
  #owned(item: Item, position: Position): void {
    const { view, follower } = this.#parts;
    item.position = position;
    if (this.#has('ownTable') && position.epoch === view.epoch) view.put(item.draft, position.number);
    this.#uncover(item);
    if (follower.state !== 'local' && item.draft.kind !== 'announce') {
      this.#own.push(item);
      if (this.#own.length > this.#ownLimit) this.#boundOwn();
    }
    if (!item.settled) void this.#await(item, position);
  }

  async #await(item: Item, position: Position): Promise<void> {
    const { follower } = this.#parts;
    if (!this.#has('ownWait')) return this.#settle(item, 'applied');
    const outcome = await follower.reach(position, follower.options.maxLag);
    // In another epoch the record is appended again, and its receipt comes from there.
    if (outcome === 'other' || item.position !== position) return;
    this.#settle(item, outcome === 'passed' ? 'applied' : 'appended');
  }

  #settle(item: Item, status: Receipt['status']): void {
    if (item.settled) return;
    item.settled = true;
    const queued = status === 'queued';
    item.resolve(receiptOf(status, queued ? undefined : item.position, queued ? this.#parts.makeToken() : undefined));
  }

  /** One timer for all that wait: the oldest is due first. */
  #startPatience(ms: number): void {
    this.#cancelPatience ??= this.#parts.clock.schedule(ms, () => {
      this.#cancelPatience = undefined;
      this.#loseInPatience(0, new Error('the log did not take it in time', { cause: this.#refusal }));
      const oldest = this.#waiting.find((item) => !item.settled);
      if (oldest === undefined || this.#stopped) return;
      this.#startPatience(Math.max(1, oldest.since + this.#parts.patience - this.#parts.stopwatch.now()));
    });
  }

  /** Gives `queued` to all whose patience ends within `ahead` ms. */
  #loseInPatience(ahead: number, cause: unknown): void {
    const due = this.#parts.stopwatch.now() + ahead - this.#parts.patience;
    for (const item of this.#waiting) {
      if (item.since > due) break;
      this.#becomeQueued(item, cause);
    }
    this.#boundQueue();
  }

  #becomeQueued(item: Item, cause: unknown): void {
    if (item.settled && item.covering) return;
    this.#coverWith(item);
    if (!item.settled) this.#parts.hooks.queued(item.draft, cause);
    this.#settle(item, 'queued');
  }

  #coverWith(item: Item): void {
    if (item.covering) return;
    item.covering = true;
    this.#parts.view.pending.add(item.draft);
    this.#parts.view.revision++;
  }

  #uncover(item: Item): void {
    if (!item.covering) return;
    item.covering = false;
    this.#parts.view.pending.leave();
    this.#parts.view.revision++;
  }

  /**
   * While the follower is down nothing is confirmed, and own records would pile up: those whose receipts were given become
   * one `everything` at the newest position, in case the epoch ends.
   */
  #boundOwn(): void {
    const { maxQueue, makeEverything } = this.#parts;
    const settled = this.#own.filter((item) => item.settled);
    const waiting = this.#own.filter((item) => !item.settled);
    // Not the last one's: receipts are not given in the order of positions.
    const position = settled.map((item) => item.position as Position).sort((a, b) => b.number - a.number)[0];
    if (position !== undefined) {
      const all: Item = { ...this.#item(makeEverything(), true), position, settled: true };
      this.#own = [all, ...waiting];
    }
    // Not looked at again before it has doubled: a burst whose receipts are still to come must not be walked at each record.
    this.#ownLimit = Math.max(maxQueue, 2 * this.#own.length);
  }

  /**
   * A full queue becomes one `everything`, never a dropped record. What opens or closes an announcement stays: nothing can stand
   * for it, and there is little of it, since nothing is announced while the log cannot be reached.
   */
  #boundQueue(): void {
    const { maxQueue, makeEverything, hooks, view } = this.#parts;
    if (view.pending.size <= maxQueue) return;
    const replaced = this.#waiting.filter(isReplaceable);
    if (replaced.length <= maxQueue) return; // The others were taken by the log.
    const all: Item = {
      ...this.#item(makeEverything(), true),
      // Before all others, so that nobody's patience is measured by it.
      since: Number.NEGATIVE_INFINITY,
      settled: true,
    };
    this.#coverWith(all);
    this.#waiting = [all, ...this.#waiting.filter((item) => !isReplaceable(item))];
    for (const item of replaced) {
      this.#settle(item, 'queued');
      this.#uncover(item);
    }
    hooks.overflowed(replaced.length);
  }

  #pause(ms: number): Promise<void> {
    return this.#pauses.pass(ms * (0.5 + this.#parts.random()));
  }

  /** Sends what waits: at once, also out of a pause, or after `ms` milliseconds. */
  #wake(ms = 0): void {
    if (ms === 0) this.#pauses.end();
    if (this.#waiting.length === 0 || this.#sending || this.#stopped) return;
    this.#sending = true;
    if (ms === 0) queueMicrotask(() => void this.#send());
    else void this.#pause(ms).then(() => this.#send());
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}

/** Whether one `everything` may stand for it when the queue is full. */
function isReplaceable({ covering, draft }: Item): boolean {
  return covering && draft.kind !== 'announce' && draft.kind !== 'close';
}

/** The pause after so many failures, in ms. */
function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
}

/** An answer is used as a whole or not at all: half of a batch taken out of the queue would be lost. */
function checked(appended: Appended, length: number): Appended {
  const { epoch, numbers } = appended;
  if (numbers.length !== length)
    throw new TidemarkError(
      'INVALID_RECORD',
      `The log answered ${shorten(numbers.length)} positions for ${length} records in epoch ${shorten(epoch)}. Its adapter must answer one for each.`,
    );
  for (const number of numbers) checkNumber(number);
  return appended;
}
