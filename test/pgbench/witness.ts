import type pg from 'pg';
import { ALL, type Balance, type RowName } from './row.ts';

/** Between two looks, in ms. */
const PAUSE = 20;

/**
 * Looks at all rows in the database again and again, and so knows for how long a version was certainly current: up to the moment
 * at which a look began that still found it.
 */
export class Witness {
  readonly #pool: pg.Pool;
  /** When the last look began that found this version. */
  readonly #current = new Map<RowName, Map<string, number>>();
  #over = false;
  #running: Promise<void> | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** An upper bound of how stale a balance is that is served to a read begun at `now`, in ms. */
  staleness(name: RowName, { version, asked }: Balance, now: number): number {
    const found = this.#current.get(name)?.get(version);
    // It was current when it was loaded, and when it was last found; of which it may have been both.
    return now - Math.max(asked, found ?? asked);
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      const began = performance.now();
      const { rows } = await this.#pool.query<{ name: string; version: string }>(ALL);
      for (const { name, version } of rows) {
        let versions = this.#current.get(name);
        if (versions === undefined) this.#current.set(name, (versions = new Map<string, number>()));
        versions.set(version, began);
      }
      // It must not become a load of its own.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
