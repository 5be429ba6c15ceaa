import type { Fact } from '../simulation/history.ts';

interface Commit {
  readonly at: number;
  readonly rows: readonly number[];
  readonly versions: readonly number[];
}

/** The source of truth: rows whose versions count up. What is committed is seen by every snapshot taken afterwards. */
export class Truth {
  readonly #versions: number[];
  readonly #commits: Commit[] = [];
  readonly #now: () => number;
  readonly #tell: (fact: Fact) => void;
  #loads = 0;
  #writes = 0;

  constructor(rows: number, now: () => number, tell: (fact: Fact) => void) {
    this.#versions = Array.from({ length: rows }, () => 0);
    this.#now = now;
    this.#tell = tell;
  }

  get loads(): number {
    return this.#loads;
  }

  get writes(): number {
    return this.#writes;
  }

  /** What a loader sees whose snapshot is taken now. */
  snapshot(node: number, row: number): { load: number; version: number } {
    const load = ++this.#loads;
    const version = this.version(row);
    this.#tell({ at: this.#now(), type: 'load', load, node, row });
    this.#tell({ at: this.#now(), type: 'loaded', load, version, source: 'primary' });
    return { load, version };
  }

  /** @returns the number of the write, and the versions of all rows after it */
  commit(rows: readonly number[]): { write: number; versions: number[] } {
    const write = ++this.#writes;
    const versions = rows.map((row) => this.version(row) + 1);
    rows.forEach((row, i) => {
      this.#versions[row] = versions[i] as number;
    });
    const at = this.#now();
    this.#commits.push({ at, rows, versions });
    this.#tell({ at, type: 'commit', write, rows, versions });
    return { write, versions: [...this.#versions] };
  }

  version(row: number): number {
    return this.#versions[row] as number;
  }

  /** What snapshots saw at moments that are given in the order of time. */
  replay(): (moment: number) => number[] {
    const versions = this.#versions.map(() => 0);
    let next = 0;
    return (moment) => {
      for (
        let commit = this.#commits[next];
        commit !== undefined && commit.at <= moment;
        commit = this.#commits[++next]
      )
        for (const [i, row] of commit.rows.entries()) versions[row] = commit.versions[i] as number;
      return [...versions];
    };
  }
}
