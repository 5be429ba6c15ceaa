import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Commit, Database } from './database.ts';
import { ReplicationSlot } from './replication-slot.ts';
import type { OuterGuard } from './server-guards.ts';

/** One connection, as the server knows it. */
export interface Backend {
  readonly pid: number;
  /** Ended by the server. */
  terminate(): void;
}

/** What relays have written down of a slot. */
export interface KeptSlot {
  acknowledged: number;
  gap: string | null;
  publication: string | null;
  timeline: string | null;
}

/** The name of the one slot, the log, and the schema that relays are told of. */
export const SLOT = 'tidemark';

/**
 * The server of the database, with what relays find there: locks, replication slots, the table that they write down in. A
 * standby may have to confirm commits before they are visible.
 */
export class DatabaseServer {
  readonly database: Database;
  readonly random: SeededRandom;
  readonly removed: ReadonlySet<OuterGuard>;
  readonly slots: Map<string, ReplicationSlot> = new Map();
  readonly kept: Map<string, KeptSlot> = new Map();
  readonly locks: Map<string, Backend> = new Map();
  readonly backends: Set<Backend> = new Set();
  /** Rows that foreign writers hold, from their statements until their commits are visible. */
  readonly locked: Set<number> = new Set();
  /** Counts what was done to the publication. */
  publication = 1;
  up = true;
  /** Counts crashes: what ran in an earlier life has been rolled back. */
  life = 0;
  #pids = 0;
  #gaps = 0;
  /** Whether the standby that commits wait for is away. */
  #away = false;
  readonly #waiting = new Set<() => void>();
  /** Commits that are in the log, and what makes them visible. */
  readonly #invisible = new Map<Commit, () => void>();
  readonly #scheduler: Scheduler;

  constructor(parts: {
    readonly database: Database;
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
    readonly removed: ReadonlySet<OuterGuard>;
  }) {
    this.database = parts.database;
    this.random = parts.random;
    this.removed = parts.removed;
    this.#scheduler = parts.scheduler;
    // As `tidemark postgres setup` leaves it.
    this.slots.set(SLOT, new ReplicationSlot(this.database.lsn));
    this.openGap(SLOT, 'the slot was made');
  }

  get slot(): ReplicationSlot | undefined {
    return this.slots.get(SLOT);
  }

  /** Whether the gap that the last change of the publication has made is over. */
  get isPublicationKnown(): boolean {
    return this.kept.get(SLOT)?.publication === String(this.publication);
  }

  pid(): number {
    return ++this.#pids;
  }

  /** Calls back once the standby has confirmed what was written until now. */
  confirmed(run: () => void): void {
    if (this.#away) this.#waiting.add(run);
    else run();
  }

  standby(away: boolean): void {
    this.#away = away;
    if (!away) this.#release();
  }

  /** A commit is in the log; it is visible after so many ms, or when the standby is back. */
  carryOut(commit: Commit, ms: number, visible: () => void): void {
    const show = (): void => {
      // A crash may have let it through.
      if (!this.#invisible.delete(commit)) return;
      this.database.show(commit);
      visible();
    };
    this.#invisible.set(commit, show);
    this.#scheduler.after(ms, () => this.confirmed(show));
  }

  openGap(slot: string, reason: string): string {
    const gap = `${reason}, ${++this.#gaps}`;
    const kept = this.kept.get(slot);
    if (kept === undefined) this.kept.set(slot, { acknowledged: 0, gap, publication: null, timeline: null });
    else kept.gap = gap;
    return gap;
  }

  /** Tables are taken out of the publication, or put into it. */
  publish(published: boolean): void {
    this.publication++;
    this.database.wal.published = published;
    this.database.note();
  }

  crash(): void {
    this.up = false;
    this.life++;
    for (const backend of [...this.backends]) backend.terminate();
    for (const slot of this.slots.values()) {
      slot.reader?.terminate();
      slot.crash();
    }
  }

  /** What was in the log is carried out. */
  restart(): void {
    this.up = true;
    for (const show of [...this.#invisible.values()]) show();
    this.#release();
  }

  #release(): void {
    for (const run of [...this.#waiting]) {
      this.#waiting.delete(run);
      run();
    }
  }
}
