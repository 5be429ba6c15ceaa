import { setTimeout as wait } from 'node:timers/promises';

/** A service's own data: a database table in all but size, with the time that a query takes. */
export class Repository<T> {
  readonly #rows: Map<string, T>;
  readonly #latency: number;

  /** @param latency of each query, in ms */
  constructor(rows: Readonly<Record<string, T>>, latency = 5) {
    this.#rows = new Map(Object.entries(rows));
    this.#latency = latency;
  }

  async find(id: string): Promise<T | null> {
    await wait(this.#latency);
    return this.#rows.get(id) ?? null;
  }

  /** Returns when the change is committed: who asks from now on sees it. */
  async save(id: string, row: T): Promise<T> {
    await wait(this.#latency);
    this.#rows.set(id, row);
    return row;
  }
}
