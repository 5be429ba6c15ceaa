import { once } from 'node:events';
import pg from 'pg';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { carriers } from './carrier.ts';
import { type Taken, watchLog } from './log-watch.ts';
import { Member } from './member.ts';
import { type Order, type Point, POINTS, type Report } from './message.ts';

export interface CrashOptions {
  /** How many writers have to die between their commit and the log's taking their record. */
  readonly times: number;
  /** A name of `carriers`. */
  readonly carrier: string;
  /** Called after each death. */
  readonly progress?: (crash: Crash) => void;
}

/** What became of the writers. */
export interface Crash {
  /** How many were killed, and where. */
  readonly killed: number;
  readonly points: Readonly<Record<Point, number>>;
  /** Those whose transaction has committed, and of them those whose record only the relay has appended. */
  readonly committed: number;
  readonly between: number;
  /** What must not be. */
  readonly violations: readonly string[];
  /** From the commit until the log had the record, in ms, of those that the relay has appended; ordered. */
  readonly delays: readonly number[];
  /** As the relay says. */
  readonly appended: number;
  readonly duplicates: number;
}

/** Writers at a time. */
const PARALLEL = 2;

/** How long after a commit the log may be without its record, and a reader behind, in ms. */
const LIMIT = 2_000;

/** The longest moment that a writer lives on at its point, in ms. */
const MOMENT = 3;

type Process = Member<Order, Report>;

/** Kills writers around their commits, and looks whether every change gets to the log and to a reader that has it cached. */
export async function crash({ times, carrier, progress }: CrashOptions): Promise<Crash> {
  const way = carriers[carrier];
  if (way === undefined)
    throw new Error(`There is no carrier ${carrier}. Known are ${Object.keys(carriers).join(', ')}.`);
  const [server, redis] = await Promise.all([
    startPostgres(['track_commit_timestamp=on', ...way.settings]),
    startRedis(),
  ]);
  const pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => {});
  const assignment = { database: server.url, redis: redis.url, carrier };
  const members: Process[] = [];
  const make = (program: string): Process => {
    const member: Process = new Member(new URL(`./${program}.ts`, import.meta.url), { type: 'begin', assignment });
    members.push(member);
    return member;
  };
  const log = watchLog(redis.url);
  try {
    await pool.query('CREATE TABLE item (id int PRIMARY KEY, value int NOT NULL)');
    await way.prepare(server.url);
    const relay = make('relay-process');
    const reader = make('reader-process');
    await Promise.all([relay.hears('ready'), reader.hears('ready'), log.ready()]);
    const run = new Run({ pool, reader, log, make });
    const slots = Array.from({ length: PARALLEL }, () => run.kill(times, progress));
    await Promise.all(slots);
    await run.settle();
    const { appended, duplicates } = await relay.ask({ type: 'status' }, 'status');
    return { ...run.result(), appended, duplicates };
  } finally {
    await Promise.all(members.map((member) => member.end()));
    await log.close();
    await pool.end();
    await Promise.all([server.stop(), redis.stop()]);
  }
}

interface RunParts {
  readonly pool: pg.Pool;
  readonly reader: Process;
  readonly log: ReturnType<typeof watchLog>;
  readonly make: (program: string) => Process;
}

/** A row as it is, and when it was committed, in ms since 1970. */
interface Item {
  readonly value: number;
  readonly at: number;
}

class Run {
  readonly #parts: RunParts;
  readonly #points = Object.fromEntries(POINTS.map((point) => [point, 0])) as Record<Point, number>;
  readonly #violations: string[] = [];
  readonly #delays: number[] = [];
  #items = 0;
  #requests = 0;
  #killed = 0;
  #committed = 0;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Kills one writer after the other, until enough have died in between. */
  async kill(times: number, progress: CrashOptions['progress']): Promise<void> {
    while (this.#delays.length < times && this.#killed < times * 5 + 10) {
      await this.#one(++this.#items);
      progress?.({ ...this.result(), appended: 0, duplicates: 0 });
    }
  }

  /** Every item once more, when nothing is under way any more. */
  async settle(): Promise<void> {
    for (let id = 1; id <= this.#items; id++) {
      const { value } = await this.#item(id);
      const read = await this.#read(id);
      if (read !== value) this.#violations.push(`item ${id} is ${value}, and for ever ${read} to a reader`);
    }
  }

  result(): Omit<Crash, 'appended' | 'duplicates'> {
    return {
      killed: this.#killed,
      points: { ...this.#points },
      committed: this.#committed,
      between: this.#delays.length,
      violations: [...this.#violations],
      delays: this.#delays.toSorted((a, b) => a - b),
    };
  }

  async #one(id: number): Promise<void> {
    const { pool, make } = this.#parts;
    const writer = make('writer-process');
    await Promise.all([
      pool.query('INSERT INTO item VALUES ($1, 0)', [id]).then(() => this.#read(id)),
      writer.hears('ready'),
    ]);
    // Most of them where it hurts.
    const point = pick<Point>(Math.random() < 0.8 ? ['sent', 'answered', 'appending'] : POINTS);
    const gone = once(writer.child, 'exit');
    writer.send({ type: 'write', id, value: 1, point, ms: MOMENT });
    if (point === 'anytime') setTimeout(() => writer.child.kill('SIGKILL'), Math.random() * 20);
    await gone;
    this.#killed++;
    this.#points[point]++;
    // A COMMIT that was sent may be carried out after its sender's death.
    await waitUntil(async () => (await pool.query(IN_TRANSACTION)).rowCount === 0);
    const item = await this.#item(id);
    if (item.value === 1) await this.#look(id, item);
    else if (this.#parts.log.taken(id) !== undefined)
      this.#violations.push(`item ${id} was not written, but invalidated`);
  }

  /** Whether a change gets to the log, and a reader to know of it. */
  async #look(id: number, { value, at }: Item): Promise<void> {
    this.#committed++;
    const { log } = this.#parts;
    const within = { timeout: 2 * LIMIT, every: 5 };
    try {
      const taken = (await waitUntil(() => log.taken(id), within)) as Taken;
      if (taken.byRelay) this.#delays.push(taken.at - at);
      if (taken.at - at > LIMIT) this.#violations.push(`item ${id} was out after ${Math.round(taken.at - at)} ms`);
      await waitUntil(async () => (await this.#read(id)) === value, { ...within, what: 'a reader' });
    } catch (error) {
      this.#violations.push(`item ${id} was committed, and is not out: ${String(error)}`);
    }
  }

  async #read(id: number): Promise<number> {
    const request = ++this.#requests;
    const { reader } = this.#parts;
    const answer = reader.hears('read', (report) => report.request === request);
    reader.send({ type: 'read', request, id });
    return (await answer).value;
  }

  async #item(id: number): Promise<Item> {
    const { rows } = await this.#parts.pool.query<Item>(
      'SELECT value, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS at FROM item WHERE id = $1',
      [id],
    );
    return rows[0] as Item;
  }
}

const IN_TRANSACTION = `SELECT FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()`;

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)] as T;
}
