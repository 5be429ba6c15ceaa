/** How far capture has come, and what it has done since its relay began. */
export interface CaptureStatus {
  /**
   * `streaming`: it reads the database's log. `waiting`: it does not, `problem` says why. `gap`: the slot is gone; nothing is
   * captured until it is made anew. `stopped`: another relay is the active one.
   */
  readonly state: 'streaming' | 'waiting' | 'gap' | 'stopped';
  readonly slot: string;
  /** Why it waits. */
  readonly problem: string | undefined;
  /** Why everything has to be invalidated, until it has been. */
  readonly gap: string | undefined;
  /** How far the end of the database's log is ahead of what is acknowledged, in bytes, at the last look (every 5 s). */
  readonly lagBytes: number | undefined;
  /** How much of its log the server keeps for the slot, in bytes, at the last look. */
  readonly retainedBytes: number | undefined;
  /**
   * Everything that was committed until so many ms ago is in the caches' log, for certain. One to three seconds where nothing happens;
   * `undefined` while that is not known, such as during a gap.
   */
  readonly lagMs: number | undefined;
  /** Transactions that are committed and not known to be visible yet. */
  readonly invisible: number;
  /** Transactions that made anything stale. */
  readonly transactions: number;
  /** Records that were appended. */
  readonly records: number;
  /** Messages that their writers had appended themselves. */
  readonly direct: number;
  /** Changes that counted as everything, since they could not be mapped. */
  readonly unknowable: number;
}

/** What is counted, across connections. */
export interface CaptureCounts {
  transactions: number;
  records: number;
  direct: number;
  unknowable: number;
}

/** Moments at which the end of the database's log was known: what tells how old the news is, by one clock. */
export class LagMeter {
  readonly #marks: { readonly at: number; readonly lsn: bigint }[] = [];
  #provenAt: number | undefined;

  /** The log ended at `lsn`, at a moment not before `at`. */
  note(at: number, lsn: bigint): void {
    const last = this.#marks.at(-1);
    // A few a second are enough.
    if (last === undefined || at - last.at >= 100) this.#marks.push({ at, lsn });
  }

  /** Everything before `lsn` is done. */
  reached(lsn: bigint): void {
    for (let first = this.#marks[0]; first !== undefined && first.lsn <= lsn; first = this.#marks[0]) {
      this.#provenAt = first.at;
      this.#marks.shift();
    }
  }

  /** In ms; `undefined` before anything is certain. */
  lag(now: number): number | undefined {
    return this.#provenAt === undefined ? undefined : now - this.#provenAt;
  }
}
