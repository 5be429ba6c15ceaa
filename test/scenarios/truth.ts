/** A read that returned less than it was promised. */
export interface Broken {
  readonly row: string;
  readonly got: number;
  readonly owed: number;
}

interface Row {
  version: number;
  /** Versions whose records are in the log, and when that was known, in ms. */
  readonly appended: { readonly at: number; readonly version: number }[];
  /** By node: the version that it has acknowledged itself. */
  readonly own: Map<object, number>;
}

/** The source of a story: rows with versions, and which of them a reader may still be given. */
export class Truth {
  readonly broken: Broken[] = [];
  /** By row: how often it was loaded. */
  readonly loads = new Map<string, number>();
  readonly #rows = new Map<string, Row>();
  readonly #maxLag: number;

  /** @param maxLag in ms: how far nodes may be behind each other */
  constructor(maxLag: number) {
    this.#maxLag = maxLag;
  }

  version(row: string): number {
    return this.#row(row).version;
  }

  /** A loader that takes its time before and after it reads. */
  async load(row: string): Promise<number> {
    this.loads.set(row, (this.loads.get(row) ?? 0) + 1);
    await dawdle();
    const { version } = this.#row(row);
    await dawdle();
    return version;
  }

  commit(row: string): number {
    return ++this.#row(row).version;
  }

  /** An invalidation of this version has returned. */
  acknowledge(node: object, row: string, version: number, isAppended: boolean): void {
    const { own, appended } = this.#row(row);
    own.set(node, Math.max(own.get(node) ?? 0, version));
    if (isAppended) appended.push({ at: performance.now(), version });
  }

  /** The oldest version that a read on this node may return if it begins now. */
  owed(node: object, row: string): number {
    const { own, appended } = this.#row(row);
    const old = performance.now() - this.#maxLag;
    return appended.reduce((owed, { at, version }) => (at < old ? Math.max(owed, version) : owed), own.get(node) ?? 0);
  }

  judge(row: string, got: number, owed: number): void {
    if (!(got >= owed)) this.broken.push({ row, got, owed });
  }

  #row(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { version: 1, appended: [], own: new Map() };
      this.#rows.set(name, row);
    }
    return row;
  }
}

/** Lets up to a few dozen other things happen first. */
async function dawdle(): Promise<void> {
  for (let turns = Math.floor(Math.random() * 20); turns > 0; turns--)
    await new Promise((resolve) => setImmediate(resolve));
}
