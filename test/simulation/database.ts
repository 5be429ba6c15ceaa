import type { Scheduler } from '../../src/testing/scheduler.ts';
import { OutboxTable } from './outbox-table.ts';
import { TransactionIds } from './transaction-ids.ts';
import { Wal } from './wal.ts';

/** What was written by one transaction. */
export interface Commit {
  readonly xid: bigint;
  /** When its commit was written to the log. */
  readonly at: number;
  readonly lsn: number;
  readonly rows: readonly number[];
  /** The new version of each row. */
  readonly versions: readonly number[];
}

/** How a transaction stands that was begun by its id. */
export type TransactionStatus = 'open' | 'committed' | 'aborted';

/**
 * The source of truth: rows whose versions count up. A commit is in the log first, and visible to every snapshot of the primary
 * that begins after {@link Database.show}; a replica shows it in its own time.
 */
export class Database {
  readonly outbox: OutboxTable = new OutboxTable();
  readonly ids: TransactionIds = new TransactionIds();
  readonly wal: Wal = new Wal();
  readonly #scheduler: Scheduler;
  readonly #primary: number[];
  readonly #replica: number[];
  /** The newest that was written of each row, visible or not. */
  readonly #written: number[];
  readonly #commits: Commit[] = [];
  readonly #hidden = new Set<Commit>();
  readonly #unreplicated: Commit[] = [];
  readonly #transactions = new Map<string, { status: TransactionStatus; readonly life: number; prepared: boolean }>();
  #replayed = 0;
  /** How far the replica is behind, in ms. */
  lag: number;

  constructor(scheduler: Scheduler, rows: number, lag: number) {
    this.#scheduler = scheduler;
    this.#primary = Array.from({ length: rows }, () => 0);
    this.#replica = [...this.#primary];
    this.#written = [...this.#primary];
    this.lag = lag;
  }

  /** An upper bound of everything committed. */
  get lsn(): number {
    return this.wal.end;
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

  /** A transaction is carried out, and everybody sees it. */
  commit(rows: readonly number[], id?: string, message?: Uint8Array): Commit {
    const transaction = id === undefined ? undefined : this.#transactions.get(id);
    if (transaction !== undefined) transaction.status = 'committed';
    const commit = this.write(this.ids.begin(), rows, message);
    this.show(commit);
    return commit;
  }

  /** A transaction's commit is in the log, and nobody but replicas sees it yet. */
  write(xid: bigint, rows: readonly number[], message?: Uint8Array): Commit {
    this.#catchUp();
    const versions = rows.map((row) => (this.#written[row] as number) + 1);
    rows.forEach((row, i) => {
      this.#written[row] = versions[i] as number;
    });
    const { lsn } = this.wal.commit({ xid, rows, message });
    const commit = { xid, at: this.#scheduler.now, lsn, rows, versions };
    this.#commits.push(commit);
    this.#hidden.add(commit);
    this.#unreplicated.push(commit);
    return commit;
  }

  /** Something else is written, of no row that anybody reads. */
  note(): void {
    this.#unreplicated.push({ xid: 0n, at: this.#scheduler.now, lsn: this.wal.other(), rows: [], versions: [] });
  }

  /** It has left the list of those that run. */
  show(commit: Commit): void {
    this.#hidden.delete(commit);
    this.ids.end(commit.xid);
    commit.rows.forEach((row, i) => {
      this.#primary[row] = Math.max(this.version(row), commit.versions[i] as number);
    });
  }

  /** What a snapshot of the primary sees now. */
  version(row: number): number {
    return this.#primary[row] as number;
  }

  versions(): number[] {
    return [...this.#primary];
  }

  /** What every snapshot sees now, of the primary or not, that has all commits up to a bound. */
  versionsAt(bound: number): number[] {
    return this.#newest((commit) => commit.lsn <= bound && !this.#hidden.has(commit));
  }

  /** What was in the log before a moment. */
  versionsBefore(moment: number): number[] {
    return this.#newest(({ at }) => at < moment);
  }

  #newest(counts: (commit: Commit) => boolean): number[] {
    const versions = this.#primary.map(() => 0);
    for (const commit of this.#commits.filter(counts)) {
      commit.rows.forEach((row, i) => {
        versions[row] = Math.max(versions[row] as number, commit.versions[i] as number);
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
      next.rows.forEach((row, i) => {
        this.#replica[row] = next.versions[i] as number;
      });
      this.#replayed = next.lsn;
    }
  }
}
