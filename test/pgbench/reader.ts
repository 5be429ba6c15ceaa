import type pg from 'pg';
import { type Cache, createCache } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { type Balance, type RowName, rows, TABLES } from './row.ts';
import type { Witness } from './witness.ts';

/** What a node's reads came to. */
export interface ReaderFigures {
  reads: number;
  hits: number;
  /** Upper bounds of how stale what was served was, in ms; of hits. */
  readonly staleness: number[];
}

/** Reads in one turn, and the pause between two turns in ms. */
const TURN = 10;
const PAUSE = 10;

/** A node that reads balances all the time. */
export class Reader {
  readonly figures: ReaderFigures = { reads: 0, hits: 0, staleness: [] };
  readonly cache: Cache;
  readonly balance: (name: RowName) => Promise<Balance>;
  /** What the node would serve without a load. */
  readonly peek: (name: RowName) => Balance | undefined;
  readonly #witness: Witness;
  #over = false;
  #running: Promise<void> | undefined;

  constructor(url: string, pool: pg.Pool, witness: Witness) {
    this.#witness = witness;
    this.cache = createCache({ name: 'bank', ...redis({ url }), memory: { maxEntries: 10_000 } });
    const query = this.cache.query({ name: 'row', load: (name: RowName) => load(pool, name), ttl: '1h' });
    this.balance = query;
    this.peek = (name) => query.peek(name);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      await Promise.all(Array.from({ length: TURN }, () => this.#read()));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async #read(): Promise<void> {
    // A third of the reads are of what changes all the time.
    const name = rows[Math.floor(Math.random() * (Math.random() < 0.33 ? 11 : rows.length))] as RowName;
    const began = performance.now();
    const found = await this.balance(name);
    this.figures.reads++;
    if (found.asked >= began) return;
    this.figures.hits++;
    this.figures.staleness.push(Math.max(0, this.#witness.staleness(name, found, began)));
  }
}

async function load(pool: pg.Pool, name: RowName): Promise<Balance> {
  const { table, key, balance } = TABLES[name[0] as string] as (typeof TABLES)[string];
  const asked = performance.now();
  const found = await pool.query<Omit<Balance, 'asked'>>(
    `SELECT ${balance} AS balance, xmin::text AS version FROM ${table} WHERE ${key} = $1`,
    [Number(name.slice(1))],
  );
  return { ...(found.rows[0] as Balance), asked };
}
