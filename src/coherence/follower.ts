import type { Clock } from './clock.ts';
import { within } from './deadline.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import type { InvalidationLog, LogOptions, Reading, Snapshot, Unsubscribe } from './log.ts';
import { Pause } from './pause.ts';
import type { Position } from './position.ts';
import type { LogRecord } from './record.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { View } from './view.ts';

/**
 * Where a follower is:
 *
 * - `down`: no answer from the log yet, or the last request failed. Entered from anywhere; left by a successful copy.
 * - `copying`: the log answers, but its records do not continue ours. Left by a copied snapshot.
 * - `following`: every record up to `applied` is in the view, and readings continue from there.
 * - `local`: the log is in this process and hands over each record at once; entered at the start, for good.
 * - `stopped`: for good.
 */
export type FollowerState = 'down' | 'copying' | 'following' | 'local' | 'stopped';

/** Why records could not simply be continued. */
export type ResyncReason = 'start' | 'gap' | 'trimmed' | 'epoch' | 'behind' | 'crossed';

/** What the follower tells its node, in the order of events. */
export interface FollowerHooks {
  /** The view is about to take over an epoch that is not its own. */
  beforeAdopt(epoch: string): void;
  adopted(snapshot: Snapshot, otherEpoch: boolean, reason: ResyncReason): void;
  applied(record: LogRecord): void;
  /** Everything up to `head` is certainly in the log. */
  confirmed(epoch: string, head: number): void;
  stateChanged(state: FollowerState, cause: unknown): void;
}

export interface FollowerParts {
  readonly log: InvalidationLog;
  readonly view: View;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly random: () => number;
  readonly hooks: FollowerHooks;
  /** Until the log has told its own. */
  readonly options: LogOptions;
  readonly removed?: RemovedGuards;
}

/** Most records in one reading. */
const BATCH = 1_000;

/** Pauses between attempts while the log does not answer, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/**
 * Keeps a view up to date with a log, and knows how fresh it provably is.
 *
 * One request is under way at a time; an answer is used only if nothing has happened meanwhile that makes it doubtful
 * (see {@link Follower.drop}).
 */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #removed: RemovedGuards;
  #options: LogOptions;
  #state: FollowerState = 'down';
  #reason: ResyncReason = 'start';
  #provenAt = Number.NEGATIVE_INFINITY;
  #receivedAt = 0;
  #generation = 0;
  /** Copies and failures since the last proof. */
  #fruitless = 0;
  #detach: Unsubscribe | undefined;
  readonly #pauses: Pause;
  readonly #waiters = new Set<Waiter>();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
    this.#options = parts.options;
    this.#pauses = new Pause(parts.clock);
  }

  /** Whether the log is in this process: then the view is exactly up to date at any time. */
  get local(): boolean {
    return this.#state === 'local';
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** What the log has fixed, once it is known; before, what the node was configured with. */
  get options(): LogOptions {
    return this.#options;
  }

  /** When, on the stopwatch, the view was last proven complete; with a local log it is at any time, `now` included. */
  provenAt(now: number): number {
    return this.#state === 'local' ? now : this.#provenAt;
  }

  /** When the records that are applied now arrived, by the wall clock. For people. */
  get receivedAt(): number {
    return this.#state === 'local' ? this.#parts.clock.wall() : this.#receivedAt;
  }

  /** The stopwatch, read as carefully as this follower needs: where the log is in this process, no proof can grow old. */
  now(): number {
    return this.#state === 'local' ? this.#parts.stopwatch.glance() : this.#parts.stopwatch.now();
  }

  start(): void {
    const { log, view } = this.#parts;
    if (log.attach === undefined) return void this.#run();
    const { snapshot, detach } = log.attach((record) => {
      view.apply(record);
      this.#parts.hooks.applied(record);
      this.#settle();
    });
    this.#detach = detach;
    this.#adopt(snapshot);
    this.#enter('local');
  }

  stop(): void {
    this.#detach?.();
    this.#enter('stopped');
    this.#generation++;
    this.#pauses.end();
  }

  /** Whether the node may serve at a stopwatch reading: its proof is at most `maxLag` plus `tolerance` ms old, and nothing is queued. */
  attachedAt(now: number, tolerance = 0): boolean {
    if (this.#parts.view.pending.size > 0 && this.#has('queueCovers')) return false;
    if (this.#state === 'local') return true;
    if (tolerance > 0) return now - this.#provenAt <= this.#options.maxLag + tolerance;
    return this.#state === 'following' && (now - this.#provenAt <= this.#options.maxLag || !this.#has('age'));
  }

  /** Out of a pause between attempts, tries at once. */
  hurry(): void {
    if (this.#state === 'down') this.#pauses.end();
  }

  /** Detaches, and drops every answer that was asked for before: used when an append shows that the epoch has changed. */
  drop(): void {
    if (this.#state === 'local' || this.#state === 'stopped') return;
    this.#generation++;
    this.#fruitless = 0; // it has just answered
    this.#resync('crossed');
    this.#pauses.end();
  }

  /**
   * Resolves with `'passed'` once a position is applied in its epoch, `'other'` when another epoch is adopted first, and
   * `'late'` after `ms` milliseconds or as soon as the follower is down.
   */
  reach(position: Position, ms: number, waitWhileDown = false): Promise<'passed' | 'other' | 'late'> {
    const { view, clock } = this.#parts;
    if (view.epoch === position.epoch && view.applied >= position.number) return Promise.resolve('passed');
    if (this.#state === 'stopped' || (this.#state === 'down' && !waitWhileDown) || ms <= 0)
      return Promise.resolve('late');
    return new Promise((resolve) => {
      const waiter: Waiter = {
        ...position,
        from: view.epoch,
        waitWhileDown,
        resolve: (outcome) => {
          cancel();
          this.#waiters.delete(waiter);
          resolve(outcome);
        },
      };
      const cancel = clock.schedule(ms, () => waiter.resolve('late'));
      this.#waiters.add(waiter);
    });
  }

  /** Where the log ends now; `undefined` where it cannot prove it. */
  async head(): Promise<Position | undefined> {
    const { log, view } = this.#parts;
    if (this.#state === 'local') return { epoch: view.epoch, number: view.applied };
    const work = log.read({ epoch: view.epoch, number: view.applied }, { wait: 0, limit: 0 });
    const reading = await within(
      this.#parts.clock,
      this.#options.maxLag,
      work,
      () => new Error('the log did not answer'),
    );
    return reading.provenAt === undefined ? undefined : { epoch: reading.epoch, number: reading.head };
  }

  async #run(): Promise<void> {
    while (this.#state !== 'stopped') {
      try {
        // A log that answers but never proves anything must not be asked in a tight loop. (After a failure it was not.)
        if (this.#state === 'copying' && this.#fruitless++ > 1) await this.#pause();
        if (this.#stopped()) return;
        await (this.#state === 'following' ? this.#readOn() : this.#copy());
      } catch (error) {
        if (this.#stopped()) return;
        this.#enter('down', error);
        this.#fruitless++;
        await this.#pause();
      }
    }
  }

  async #copy(): Promise<void> {
    const { log, clock } = this.#parts;
    const generation = this.#generation;
    const snapshot = await within(
      clock,
      this.#options.maxLag,
      log.snapshot(),
      () => new Error('the log sent no snapshot in time'),
    );
    if (generation !== this.#generation) return;
    const behind = snapshot.epoch === this.#parts.view.epoch && snapshot.head < this.#parts.view.applied;
    this.#adopt(snapshot);
    this.#enter('following');
    // A head behind what was applied in the same epoch: the next reading tells the log, which then begins a new epoch.
    if (behind) return;
    if (snapshot.provenAt !== undefined || !this.#has('replicas'))
      this.#prove(snapshot.epoch, snapshot.head, snapshot.provenAt);
  }

  async #readOn(): Promise<void> {
    const { log, view, clock } = this.#parts;
    const generation = this.#generation;
    const { maxLag } = this.#options;
    const work = log.read({ epoch: view.epoch, number: view.applied }, { wait: maxLag / 4, limit: BATCH });
    const reading = await within(clock, maxLag * 1.25, work, () => new Error('the log did not answer'));
    if (generation !== this.#generation) return;
    this.#take(reading);
  }

  #take(reading: Reading): void {
    const { view, hooks } = this.#parts;
    if (this.#has('epochCheck')) {
      if (reading.epoch !== view.epoch) return this.#resync('epoch');
      if (!(reading.head >= view.applied)) return this.#resync('behind');
    }
    if (reading.records.length > 0) this.#receivedAt = this.#parts.clock.wall();
    for (const record of reading.records) {
      if (record.prev !== view.applied && this.#has('chain')) return this.#resync('gap');
      view.apply(record);
      hooks.applied(record);
    }
    this.#settle();
    // Nothing to read although the log goes on: what was there has been trimmed or lost.
    if (reading.records.length === 0 && view.applied < reading.head && this.#has('emptyBelowHead'))
      return this.#resync('trimmed');
    // A batch that ends before the head says nothing about what follows it.
    if (view.applied < reading.head && this.#has(reading.records.length === 0 ? 'emptyBelowHead' : 'fullBatch')) return;
    if (reading.provenAt !== undefined || !this.#has('replicas'))
      this.#prove(reading.epoch, reading.head, reading.provenAt);
  }

  /**
   * Dated at the sending of the request, never at its arrival: an answer may have been under way for long.
   */
  #prove(epoch: string, head: number, sentAt: number | undefined): void {
    const now = this.#parts.stopwatch.now();
    this.#fruitless = 0;
    this.#provenAt = Math.max(
      this.#provenAt,
      sentAt === undefined || !this.#has('provenAt') ? now : Math.min(sentAt, now),
    );
    this.#parts.hooks.confirmed(epoch, head);
  }

  #adopt(snapshot: Snapshot): void {
    const { view, hooks } = this.#parts;
    const other = snapshot.epoch !== view.epoch;
    if (other && this.#has('requeueFirst')) hooks.beforeAdopt(snapshot.epoch);
    if (other) this.#provenAt = Number.NEGATIVE_INFINITY;
    this.#options = snapshot.options;
    view.adopt(snapshot);
    if (other && !this.#has('requeueFirst')) this.#parts.clock.schedule(100, () => hooks.beforeAdopt(snapshot.epoch));
    hooks.adopted(snapshot, other, this.#reason);
    this.#settle();
  }

  #resync(reason: ResyncReason): void {
    this.#reason = reason;
    this.#enter('copying', reason);
  }

  /** Entry conditions: `stopped` is final, `local` is left only by it. A state that is entered again is no change. */
  #enter(state: FollowerState, cause?: unknown): void {
    if (this.#state === state || this.#state === 'stopped') return;
    if (this.#state === 'local' && state !== 'stopped') return;
    this.#state = state;
    if (state === 'down' || state === 'stopped') {
      for (const waiter of [...this.#waiters]) if (state === 'stopped' || !waiter.waitWhileDown) waiter.resolve('late');
    }
    this.#parts.hooks.stateChanged(state, cause);
  }

  #settle(): void {
    const { epoch, applied } = this.#parts.view;
    for (const waiter of [...this.#waiters]) {
      if (epoch === waiter.epoch && applied >= waiter.number) waiter.resolve('passed');
      else if (epoch !== waiter.epoch && epoch !== waiter.from) waiter.resolve('other');
    }
  }

  #pause(): Promise<void> {
    if (this.#state === 'stopped') return Promise.resolve();
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#fruitless, 10));
    return this.#pauses.pass(ms * (0.5 + this.#parts.random()));
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  #stopped(): boolean {
    return this.#state === 'stopped';
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}

interface Waiter extends Position {
  /** The epoch that was adopted when the wait began. */
  readonly from: string;
  readonly waitWhileDown: boolean;
  resolve(outcome: 'passed' | 'other' | 'late'): void;
}
