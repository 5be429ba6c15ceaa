import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type CaptureStatus, migrate, setupCapture } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { banking } from './capturing.ts';
import { Reader } from './reader.ts';
import { ALL, type Balance, rows } from './row.ts';
import { fill, write, type Written } from './tpcb.ts';
import { Witness } from './witness.ts';

/** What a run under capture came to. */
export interface BankRun {
  readonly written: Written;
  readonly reads: number;
  readonly hits: number;
  /** Upper bounds of how stale hits were while it ran, in ms; ordered. */
  readonly staleness: readonly number[];
  /** How long after the end every cached balance was the database's, in ms, and how many there were. */
  readonly settled: number;
  readonly cached: number;
  readonly capture: CaptureStatus;
  /** The longest lag that the relay has told, in ms. */
  readonly longestLag: number;
}

/** A Postgres with the tables of TPC-B, and all that captures them. */
export class Bank {
  readonly #end: (() => Promise<unknown>)[] = [];
  readonly #pool: pg.Pool;
  readonly #database: string;
  readonly #redis: string;
  readonly program: string | undefined;
  #relay: ChildProcess | undefined;
  #status: CaptureStatus | undefined;
  #longestLag = 0;

  private constructor(database: string, redis: string, program: string | undefined) {
    this.#database = database;
    this.#redis = redis;
    this.program = program;
    this.#pool = new pg.Pool({ connectionString: database, max: 8 });
    this.#pool.on('error', () => {});
  }

  /** @param program `pgbench`, see {@link pgbenchProgram}; `undefined`: the same statements over `pg` */
  static async open(program: string | undefined): Promise<Bank> {
    const [server, redis] = await Promise.all([startPostgres(['shared_buffers=128MB']), startRedis()]);
    const bank = new Bank(server.url, redis.url, program);
    bank.#end.push(
      () => bank.#pool.end(),
      () => redis.stop(),
      () => server.stop(),
    );
    await fill(server.url, program);
    await migrate(server.url);
    return bank;
  }

  async close(): Promise<void> {
    await this.#stopRelay();
    for (const end of this.#end) await end();
  }

  /** Writes while three nodes read. */
  async run(seconds: number): Promise<BankRun> {
    await this.#startRelay();
    const witness = new Witness(this.#pool);
    const readers = [1, 2, 3].map(() => new Reader(this.#redis, this.#pool, witness));
    try {
      await Promise.all(readers.map(({ cache }) => cache.ready()));
      for (const { balance } of readers) await Promise.all(rows.map(balance));
      this.#longestLag = 0;
      witness.start();
      for (const reader of readers) reader.start();
      const written = await write(this.#database, this.program, seconds);
      const stopped = performance.now();
      await Promise.all(readers.map((reader) => reader.stop()));
      const longestLag = this.#longestLag;
      const { settled, cached } = await this.#settle(readers, stopped);
      await witness.stop();
      const figures = readers.map((it) => it.figures);
      return {
        ...{ written, settled, cached, longestLag, capture: this.#status as CaptureStatus },
        reads: figures.reduce((sum, it) => sum + it.reads, 0),
        hits: figures.reduce((sum, it) => sum + it.hits, 0),
        staleness: figures.flatMap((it) => it.staleness).sort((a, b) => a - b),
      };
    } finally {
      await Promise.all(readers.map((reader) => reader.stop()));
      await witness.stop();
      await Promise.all(readers.map(({ cache }) => cache.close()));
      await this.#stopRelay();
    }
  }

  /** Writes while nobody reads, with a relay that captures or without anything of it, the slot included. */
  async measure(seconds: number, captured: boolean): Promise<Written> {
    if (captured) await this.#startRelay();
    else await this.#pool.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    try {
      return await write(this.#database, this.program, seconds);
    } finally {
      await this.#stopRelay();
    }
  }

  /** Until what each node would serve is what the database has. Nobody writes any more. */
  async #settle(readers: readonly Reader[], stopped: number): Promise<{ settled: number; cached: number }> {
    const { rows: all } = await this.#pool.query<Balance & { name: string }>(ALL);
    let cached = 0;
    const isSettled = (): boolean => {
      cached = 0;
      for (const { peek } of readers)
        for (const { name, balance } of all) {
          const found = peek(name);
          if (found === undefined) continue;
          if (found.balance !== balance) return false;
          cached++;
        }
      return true;
    };
    await waitUntil(isSettled, { what: 'cached balances that are those of the database', timeout: 10_000 });
    const settled = performance.now() - stopped;
    // What is shared by the nodes as well.
    for (const { balance: read } of readers)
      for (const { name, balance } of all)
        if ((await read(name)).balance !== balance) throw new Error(`${name} is not ${balance} to a node`);
    return { settled, cached };
  }

  async #startRelay(): Promise<void> {
    await setupCapture(this.#database, { capture: banking, recreate: true });
    this.#status = undefined;
    const path = fileURLToPath(new URL('./relay-process.ts', import.meta.url));
    this.#relay = fork(path, [this.#database, this.#redis], { execArgv: ['--import', 'tsx'] });
    this.#relay.on('message', (status: CaptureStatus) => {
      this.#status = status;
      this.#longestLag = Math.max(this.#longestLag, status.lagMs ?? 0);
    });
    const streams = (): boolean => this.#status?.state === 'streaming' && this.#status.gap === undefined;
    await waitUntil(streams, { what: 'a relay that captures', timeout: 30_000 });
  }

  async #stopRelay(): Promise<void> {
    const relay = this.#relay;
    if (relay === undefined) return;
    this.#relay = undefined;
    const gone = once(relay, 'exit');
    relay.kill('SIGKILL');
    await gone;
    const idle = async (): Promise<boolean> =>
      (await this.#pool.query('SELECT FROM pg_replication_slots WHERE active')).rowCount === 0;
    await waitUntil(idle, { what: 'a slot that nobody reads', timeout: 20_000 });
  }
}
