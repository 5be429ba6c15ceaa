/** A row that a committed transaction has left. */
export interface OutboxRow {
  readonly id: number;
  readonly message: Uint8Array;
  /** In virtual time. */
  readonly writtenAt: number;
}

/** The table of the database that writers leave their messages in. Ids are given out in the order of asking, not of commits. */
export class OutboxTable {
  readonly #rows = new Map<number, OutboxRow>();
  readonly #listeners = new Set<() => void>();
  #ids = 0;

  get size(): number {
    return this.#rows.size;
  }

  /** The id of a row that will be there, or not, at some later time. */
  nextId(): number {
    return ++this.#ids;
  }

  /** What a commit makes visible. */
  insert(row: OutboxRow): void {
    this.#rows.set(row.id, row);
    for (const listener of this.#listeners) listener();
  }

  rows(): OutboxRow[] {
    return [...this.#rows.values()].sort((a, b) => a.id - b.id);
  }

  delete(ids: readonly number[]): void {
    for (const id of ids) this.#rows.delete(id);
  }

  onInsert(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
