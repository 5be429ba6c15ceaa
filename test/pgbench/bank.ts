import pg from 'pg';
import { type CaptureStatus, migrate, setupCapture } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Member } from '../crash/member.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { sharedClock, wallOffset } from '../torture/shared-clock.ts';
import { banking, type Mapping } from './capturing.ts';
import { type Comparison, Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { LogWatch } from './log-watch.ts';
import type { Assignment, Order, Report } from './message.ts';
import { ALL, rows } from './row.ts';
import { fill, write, type Written } from './tpcb.ts';
import { judge, type Verdict } from './verdict.ts';

export interface BankOptions {
  /** How long there are writers. */
  readonly seconds: number;
  /** How many rows each node has cached when they begin, and reads once more at the end; default all. */
  readonly warm?: number;
  /** How far a node may be behind the log, in ms; default 1000. */
  readonly maxLag?: number;
  /** How long after the end a cached balance may differ from the database, in ms; default 2000. */
  readonly limit?: number;
  /** Default `'whole'`. */
  readonly mapping?: Mapping;
}

/** What a run under capture came to. */
export interface BankRun extends Verdict {
  readonly written: Written;
  /** How long after the end every cached balance was the database's, in ms, and how many there were. */
  readonly settled: number;
  readonly cached: number;
  readonly capture: CaptureStatus | undefined;
  /** The longest lag that the relay has told, in ms. */
  readonly toldLag: number;
}

/** Processes that read. */
const NODES = 3;

/** The clock of the processes and the wall clock may come apart so far in a run before it counts as set, in ms. */
const DRIFT = 5;

/** A Postgres with the tables of TPC-B, and all that captures them. */
export class Bank {
  readonly #end: (() => Promise<unknown>)[] = [];
  readonly #pool: pg.Pool;
  readonly #assignment: Omit<Assignment, 'mapping' | 'maxLag'>;
  readonly #now: () => number;
  readonly program: string | undefined;
  #relay: Member<Order, Report> | undefined;
  #status: CaptureStatus | undefined;
  #toldLag = 0;

  private constructor(database: string, redis: string, program: string | undefined) {
    const origin = process.hrtime.bigint();
    this.#assignment = { database, redis, origin: String(origin) };
    this.#now = sharedClock(origin);
    this.program = program;
    this.#pool = new pg.Pool({ connectionString: database, max: 4 });
    this.#pool.on('error', () => {});
  }

  /**
   * @param program `pgbench`, see {@link pgbenchProgram}; `undefined`: the same statements over `pg`
   * @param settings of the server; for {@link Bank.run} it has to track commit timestamps
   */
  static async open(program: string | undefined, settings = ['track_commit_timestamp=on']): Promise<Bank> {
    const [server, redis] = await Promise.all([startPostgres(['shared_buffers=128MB', ...settings]), startRedis()]);
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

  /** Writes while three processes read. */
  async run({
    seconds,
    warm = rows.length,
    maxLag = 1_000,
    limit = 2_000,
    mapping = 'whole',
  }: BankOptions): Promise<BankRun> {
    await this.#startRelay({ mapping, maxLag });
    const log = new LogWatch(this.#assignment.redis, maxLag);
    const fleet = new Fleet(NODES, { ...this.#assignment, mapping, maxLag });
    try {
      await Promise.all([log.ready(), fleet.ready()]);
      await fleet.warm(warm);
      this.#toldLag = 0;
      const offset = wallOffset(this.#now);
      const since = this.#now() + offset;
      fleet.read();
      const written = await write(this.#assignment.database, this.program, seconds);
      const stopped = this.#now();
      await fleet.rest();
      const toldLag = this.#toldLag;
      const { at, cached, wrong } = await this.#compare(fleet, warm, limit);
      const settled = at - stopped;
      if (Math.abs(wallOffset(this.#now) - offset) > DRIFT) throw new Error('The wall clock was set during the run.');
      const evidence = { served: await fleet.tell(), ledger: await Ledger.read(this.#pool), log, since, offset };
      const verdict = judge({ ...evidence, maxLag });
      const late = settled > limit ? [`nodes had what the database has after ${settled.toFixed(0)} ms`] : [];
      const violations = [...verdict.violations, ...wrong, ...late];
      return { ...verdict, violations, written, settled, cached, toldLag, capture: this.#status };
    } finally {
      await fleet.end();
      await log.close();
      await this.#stopRelay();
    }
  }

  /** Writes while nobody reads, with a relay that captures or without anything of it, the slot included. */
  async measure(seconds: number, captured: boolean): Promise<Written> {
    if (captured) await this.#startRelay({ mapping: 'whole', maxLag: 1_000 });
    else await this.#pool.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    try {
      return await write(this.#assignment.database, this.program, seconds);
    } finally {
      await this.#stopRelay();
    }
  }

  /** What each node has cached of all, and then what each reads of so many rows, beside what the database has. Nobody writes any more. */
  async #compare(fleet: Fleet, warm: number, limit: number): Promise<Comparison> {
    const found = await this.#pool.query<{ balances: number[] }>(ALL);
    const balances = found.rows[0]?.balances ?? [];
    const cached = await fleet.compare(balances, limit);
    return { ...cached, wrong: [...cached.wrong, ...(await fleet.audit(balances.slice(0, warm)))] };
  }

  async #startRelay(options: Pick<Assignment, 'mapping' | 'maxLag'>): Promise<void> {
    await setupCapture(this.#assignment.database, { capture: banking(options.mapping), recreate: true });
    this.#status = undefined;
    const assignment = { ...this.#assignment, ...options };
    this.#relay = new Member(new URL('./relay-process.ts', import.meta.url), { type: 'begin', assignment });
    this.#relay.listen((report) => {
      if (report.type !== 'captured') return;
      this.#status = report.status;
      this.#toldLag = Math.max(this.#toldLag, report.status.lagMs ?? 0);
    });
    const streams = (): boolean => this.#status?.state === 'streaming' && this.#status.gap === undefined;
    await waitUntil(streams, { what: 'a relay that captures', timeout: 30_000 });
  }

  async #stopRelay(): Promise<void> {
    await this.#relay?.end();
    this.#relay = undefined;
    const idle = async (): Promise<boolean> =>
      (await this.#pool.query('SELECT FROM pg_replication_slots WHERE active')).rowCount === 0;
    await waitUntil(idle, { what: 'a slot that nobody reads', timeout: 20_000 });
  }
}
