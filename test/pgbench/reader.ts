import type pg from 'pg';
import { type Cache, createCache, type Query } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { NAME } from './capturing.ts';
import { load } from './load.ts';
import type { Assignment, Served } from './message.ts';
import { type Balance, HOT, type RowName, rows } from './row.ts';

/** Reads in one turn, and the pause between two turns in ms. */
const TURN = 30;
const PAUSE = 10;

/** Rows that are read at once where many are. */
const BATCH = 500;

/** What was found where cached balances were compared with what they are to be. */
export interface Look {
  readonly cached: number;
  readonly wrong: readonly string[];
  /** A node that is not, when it has looked, would not have served what it has. */
  readonly attached: boolean;
}

/** A node that reads balances all the time. */
export class Reader {
  /** All that was served. */
  readonly served: Served[] = [];
  readonly cache: Cache;
  readonly #balance: Query<[RowName], Balance>;
  readonly #now: () => number;
  #over = true;
  #running: Promise<void> | undefined;

  /** @param now the clock that the processes share */
  constructor({ redis: url, maxLag }: Assignment, pool: pg.Pool, now: () => number) {
    this.#now = now;
    // All of it stays in memory.
    this.cache = createCache({
      name: NAME,
      maxLag,
      ...redis({ url }),
      memory: { maxEntries: 2 * rows.length, maxBytes: '512mb' },
    });
    this.#balance = this.cache.query({
      name: 'row',
      load: async (name: RowName) => (await load(pool, [name]))[0] as Balance,
      loadMany: (list: readonly [RowName][]) =>
        load(
          pool,
          list.map(([name]) => name),
        ),
      ttl: '1h',
    });
  }

  start(): void {
    this.#over = false;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** The balances of the first rows, through all tiers. */
  async readMany(count: number): Promise<number[]> {
    const balances: number[] = [];
    while (balances.length < count) {
      const batch = rows.slice(balances.length, Math.min(count, balances.length + BATCH));
      const found = await this.#balance.many(batch.map((name) => [name]));
      balances.push(...found.map(({ balance }) => balance));
    }
    return balances;
  }

  /** How many rows of a part would be served without a load, and some texts about those that are not as they are to be. */
  compare(balances: readonly number[], first: number, end: number): Look {
    let cached = 0;
    const wrong: string[] = [];
    for (let i = first; i < end; i++) {
      const found = this.#balance.peek(rows[i] as RowName);
      if (found === undefined) continue;
      cached++;
      if (found.balance !== balances[i]) wrong.push(`${rows[i]} is cached as ${found.balance}, and is ${balances[i]}`);
    }
    return { cached, wrong, attached: this.cache.status().attached };
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      await Promise.all(Array.from({ length: TURN }, () => this.#read()));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async #read(): Promise<void> {
    // A third of the reads are of what changes all the time, a third of what is read often, a third of anything.
    const among = [HOT, 1_000, rows.length][Math.floor(Math.random() * 3)] as number;
    const name = rows[Math.floor(Math.random() * among)] as RowName;
    const began = this.#now();
    const { value, from } = await this.#balance.read(name);
    this.served.push([name, value.version, value.balance, began, from !== 'loader']);
  }
}
