/** What some readers of a cell are owed since a moment: at least this version. */
export interface Obligation {
  readonly at: number;
  readonly version: number;
  /** The fact that it follows from. */
  readonly fact: number;
}

/** Obligations by cell. They come in the order of time. */
export class Obligations {
  readonly #byCell = new Map<number, Obligation[]>();

  /** One that asks for no more than an earlier one is not kept. */
  add(cell: number, obligation: Obligation): void {
    const known = this.#byCell.get(cell);
    if (known === undefined) this.#byCell.set(cell, [obligation]);
    else if ((known.at(-1) as Obligation).version < obligation.version) known.push(obligation);
  }

  /** The strongest that is older than a moment. */
  before(cell: number, moment: number): Obligation | undefined {
    const known = this.#byCell.get(cell);
    if (known === undefined) return undefined;
    for (let i = known.length - 1; i >= 0; i--) {
      const obligation = known[i] as Obligation;
      if (obligation.at < moment) return obligation;
    }
    return undefined;
  }

  /** The weakest that asks for more than a version. */
  firstAbove(cell: number, version: number): Obligation | undefined {
    return this.#byCell.get(cell)?.find((obligation) => obligation.version > version);
  }
}
