import { Announcements } from './announcements.ts';
import { Bans } from './bans.ts';
import { Closings } from './closings.ts';
import type { EpochAge } from './epoch-age.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import { plainKey } from './key.ts';
import type { Label } from './label.ts';
import type { LogOptions, Snapshot } from './log.ts';
import { LsnBound } from './lsn-bound.ts';
import { Pending } from './pending.ts';
import { checkNumber } from './position.ts';
import type { Draft, LogRecord, Lsn } from './record.ts';
import { TideTable } from './tide-table.ts';

/** What the rule needs to know of a value. The own label is part of it, so that checking one allocates nothing. */
export interface Marked extends Label {
  readonly epoch: string;
  /** The position its loader started from. */
  readonly mark: number;
  /** Labels of the keys above it and of its tags. */
  readonly shared: readonly Label[];
}

/** Why a value may not be served. */
export type Cover = 'epoch' | 'floor' | 'label' | 'ban' | 'announcement' | 'queued' | 'young';

/**
 * What one node knows of the log: everything up to `applied`, in its tide table, floor, bans and open announcements,
 * and what it has queued itself. The rule is {@link View.cover}; nothing else decides whether a value may be served.
 *
 * Within an epoch `applied`, table and floor never go back.
 */
export class View {
  /** Empty until the first snapshot; then nothing can be marked, stored or served. */
  epoch = '';
  applied = 0;
  floor = 0;
  /** Raised whenever something that {@link View.cover} reads has changed; lets an entry remember that it was tested. */
  revision = 1;
  readonly bans: Bans = new Bans();
  readonly announcements: Announcements = new Announcements();
  readonly pending: Pending = new Pending();
  /** Where strict writes are promised: how long this node has known its epoch. */
  age: Pick<EpochAge, 'young'> | undefined;
  #closings = new Closings();
  #lsn = new LsnBound();
  #table: TideTable;
  readonly #removed: RemovedGuards;

  constructor(options: Pick<LogOptions, 'slots' | 'hashes'>, removed: RemovedGuards = NO_GUARD_REMOVED) {
    this.#table = new TideTable(options.slots, options.hashes);
    this.#removed = removed;
  }

  /**
   * Why a value may not be served, or `undefined` if no record after its mark covers it. Every comparison is written so
   * that a missing number refuses.
   *
   * @param key its canonical key, or the place of it
   * @param tested the revision at which the same value was last found uncovered, 0 for never
   * @param turn what was queued here up to this turn is known to be in the value; 0 unless it comes from a flight
   */
  cover(it: Marked, key: string, turn = 0, tested = 0): Cover | undefined {
    if (!(it.epoch === this.epoch && it.epoch !== '') && this.#has('epoch')) return 'epoch';
    if (!(it.mark >= this.floor) && this.#has('floor')) return 'floor';
    if (!this.#labelsUpTo(it) && this.#has('covered')) return 'label';
    if (this.bans.size > 0 && this.#has('bans') && this.bans.cover(it.mark, plainKey(key), tested)) return 'ban';
    if (this.#announced(it, key)) return 'announcement';
    if (this.pending.size > 0 && this.#has('queueCovers') && this.pending.covers(it, it.shared, plainKey(key), turn))
      return 'queued';
    return this.age?.young === true ? 'young' : undefined;
  }

  /** Whether strict writes keep a value from being kept: it is announced, or the epoch too young to know. */
  withholds(it: Marked, key: string): boolean {
    return this.#announced(it, key) || this.age?.young === true;
  }

  /**
   * Whether strict writes keep a value from everybody, also from those who tolerate an old one: it is withheld, or was loaded
   * before a strict write that covers it. Where they are promised, nothing is known of values of another epoch.
   */
  forbids(it: Marked, key: string): boolean {
    if (!this.#has('strictTolerance')) return false;
    if (this.age !== undefined && !(it.epoch === this.epoch)) return true;
    return this.withholds(it, key) || (it.epoch === this.epoch && this.#closings.cover(it));
  }

  /**
   * Upper bound of the commits behind all that was applied, and behind what this node has appended itself: `'unknown'` while
   * one of them is in doubt, `undefined` where no database was named.
   */
  get lsn(): Lsn {
    return this.#lsn.value;
  }

  /** The newest position known for a label. */
  newest(label: Label): number {
    return this.#table.newest(label);
  }

  /** How full the table is, from 0 to 1. */
  fill(): number {
    return this.#table.fill();
  }

  /** The next record of the chain. Its `prev` must be `applied`; the caller has checked it. */
  apply(record: LogRecord): void {
    this.put(record, record.number);
    switch (record.kind) {
      case 'announce':
        this.announcements.open({
          id: record.id,
          number: record.number,
          labels: record.labels,
          patterns: record.patterns,
        });
        break;
      case 'close':
        if (record.closes !== undefined) this.announcements.close(record.closes);
        break;
      case 'floor':
        if (this.#has('bansRetireToFloor')) this.#raiseFloor(record.floor ?? record.number);
        else this.bans.retire(record.floor ?? record.number);
        break;
      case 'invalidate':
      case 'everything':
        break;
      default:
        record.kind satisfies never;
    }
    this.applied = Math.max(this.applied, record.number);
  }

  /** What a draft covers, at a number of this epoch: also used for an own record before the follower has reached it. */
  put(draft: Draft, number: number): void {
    this.revision++;
    checkNumber(number);
    this.#lsn.take(draft, this.epoch, number);
    if (draft.kind === 'announce' || draft.kind === 'floor') return;
    if (draft.kind === 'everything') this.#raiseFloor(number);
    for (const label of draft.labels) this.#table.raise(label, number);
    for (const pattern of draft.patterns) this.bans.add({ number, pattern, time: draft.time }, this.revision);
    if (draft.kind === 'close') this.#closings.add(draft, number);
  }

  /** Begins a life of the log, at position 0. What may be lost with the one before it may have named any bound. */
  begin(epoch: string, lost: boolean): void {
    this.epoch = epoch;
    if (lost) this.#lsn.copy('unknown', 0);
  }

  /** Takes over the state of the log: replaces that of another epoch, joins that of the same one. */
  adopt(snapshot: Snapshot): void {
    checkNumber(snapshot.head);
    checkNumber(snapshot.floor);
    if (snapshot.epoch === this.epoch) {
      this.#table.merge(snapshot.table);
      // Among the records that were skipped some may have closed what was announced.
      if (snapshot.head > this.applied && this.age !== undefined) this.#closings.skip(snapshot.head);
    } else this.#begin(snapshot);
    if (snapshot.head >= this.applied) this.announcements.clear();
    this.revision++;
    for (const ban of snapshot.bans) this.bans.add(ban, this.revision);
    for (const it of snapshot.announcements) if (snapshot.head >= this.applied) this.announcements.open(it);
    this.#raiseFloor(snapshot.floor);
    if (snapshot.head >= this.applied) this.#lsn.copy(snapshot.lsn, snapshot.head);
    this.applied = Math.max(this.applied, snapshot.head);
    this.revision++;
  }

  /** The state as bytes and lists; what a log hands out, where it keeps its own state in a view. */
  snapshot(options: LogOptions, provenAt: number | undefined): Snapshot {
    return {
      epoch: this.epoch,
      head: this.applied,
      floor: this.floor,
      table: this.#table.toBytes(),
      bans: [...this.bans.list()],
      announcements: this.announcements.list(),
      lsn: this.lsn,
      options,
      provenAt,
    };
  }

  #begin(snapshot: Snapshot): void {
    const { slots, hashes } = snapshot.options;
    const same = slots === this.#table.slots && hashes === this.#table.hashes;
    const table = same ? this.#table : new TideTable(slots, hashes);
    table.replace(snapshot.table);
    // Nothing has changed before this line: a copy that cannot be read leaves the old state whole.
    this.#table = table;
    this.epoch = snapshot.epoch;
    this.applied = snapshot.head;
    this.floor = snapshot.floor;
    this.bans.clear();
    this.announcements.clear();
    this.#closings = new Closings();
    this.#lsn = new LsnBound();
  }

  #raiseFloor(floor: number): void {
    if (!(floor > this.floor)) return;
    this.floor = floor;
    this.bans.retire(floor);
    this.revision++;
  }

  #announced(it: Marked, key: string): boolean {
    return (
      this.announcements.size > 0 &&
      this.#has('announcements') &&
      this.announcements.cover([it, ...it.shared], plainKey(key))
    );
  }

  #labelsUpTo(it: Marked): boolean {
    if (!(this.#table.newest(it) <= it.mark)) return false;
    for (const label of it.shared) if (!(this.#table.newest(label) <= it.mark)) return false;
    return true;
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}
