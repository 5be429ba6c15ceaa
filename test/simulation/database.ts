import type { Scheduler } from '../../src/testing/scheduler.ts';
import { OutboxTable } from './outbox-table.ts';

/** What was written by one transaction. */
export interface Commit {
  readonly lsn: number;
  readonly rows: readonly number[];
  /** The new version of each row. */
  readonly versions: readonly number[];
}

/** How a transaction stands that was begun by its id. */
export type TransactionStatus = 'open' | 'committed' | 'aborted';

/**
 * The source of truth: rows whose versions count up. A commit is visible to every snapshot of the primary that begins
 * afterwards; a replica shows it later.
 */
export class Database {
  readonly outbox: OutboxTable = new OutboxTable();
  readonly #scheduler: Scheduler;
  readonly #primary: number[];
  readonly #replica: number[];
  readonly #commits: Commit[] = [];
  readonly #unreplicated: { at: number; commit: Commit }[] = [];
  readonly #transactions = new Map<string, { status: TransactionStatus; readonly life: number; prepared: boolean }>();
  #lsn = 0;
  #replayed = 0;
  /** How far the replica is behind, in ms. */
  lag: number;

  constructor(scheduler: Scheduler, rows: number, lag: number) {
    this.#scheduler = scheduler;
    this.#primary = Array.from({ length: rows }, () => 0);
    this.#replica = [...this.#primary];
    this.lag = lag;
  }

  /** An upper bound of everything committed. */
  get lsn(): number {
    return this.#lsn;
  }

  /** A transaction begins, on a connection of one life of a process. */
  begin(id: string, life: number): void {
    this.#transactions.set(id, { status: 'open', life, prepared: false });
  }

  /** Its COMMIT has been sent: from now on it may commit although its connection is lost. */
  prepare(id: string): void {
    const transaction = this.#transactions.get(id);
    if (transaction !== undefined) transaction.prepared = true;
  }

  abort(id: string): void {
    const transaction = this.#transactions.get(id);
    if (transaction?.status === 'open') transaction.status = 'aborted';
  }

  /** A process has died: what it had begun and not sent to be committed will not be. */
  orphan(life: number): void {
    for (const transaction of this.#transactions.values())
      if (transaction.life === life && !transaction.prepared && transaction.status === 'open')
        transaction.status = 'aborted';
  }

  /** Of a transaction that nobody knows: aborted. */
  status(id: string): TransactionStatus {
    return this.#transactions.get(id)?.status ?? 'aborted';
  }

  commit(rows: readonly number[], id?: string): Commit {
    this.#catchUp();
    const transaction = id === undefined ? undefined : this.#transactions.get(id);
    if (transaction !== undefined) transaction.status = 'committed';
    const versions = rows.map((row) => this.version(row) + 1);
    rows.forEach((row, i) => {
      this.#primary[row] = versions[i] as number;
    });
    const commit = { lsn: ++this.#lsn, rows, versions };
    this.#commits.push(commit);
    this.#unreplicated.push({ at: this.#scheduler.now, commit });
    return commit;
  }

  /** What a snapshot of the primary sees now. */
  version(row: number): number {
    return this.#primary[row] as number;
  }

  versions(): number[] {
    return [...this.#primary];
  }

  /** What every snapshot sees that has all commits up to a bound. */
  versionsAt(bound: number): number[] {
    const versions = this.#primary.map(() => 0);
    for (const commit of this.#commits) {
      if (commit.lsn > bound) break;
      commit.rows.forEach((row, i) => {
        versions[row] = commit.versions[i] as number;
      });
    }
    return versions;
  }

  /** What a snapshot of the replica sees now; `undefined` where it has not replayed up to a bound. */
  replicaVersion(row: number, bound: number): number | undefined {
    this.#catchUp();
    return this.#replayed >= bound ? this.#replica[row] : undefined;
  }

  /** Replay never goes back, also when the lag grows. */
  #catchUp(): void {
    for (;;) {
      const next = this.#unreplicated[0];
      if (next === undefined || next.at + this.lag > this.#scheduler.now) return;
      this.#unreplicated.shift();
      next.commit.rows.forEach((row, i) => {
        this.#replica[row] = next.commit.versions[i] as number;
      });
      this.#replayed = next.commit.lsn;
    }
  }
}
