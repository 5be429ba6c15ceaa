import pg from 'pg';
import { key } from '../../src/index.ts';
import { type Carrier, createTransactions, type Invalidator } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import { carriers } from './carrier.ts';
import { type Taken, watchLog } from './log-watch.ts';
import { Member } from './member.ts';
import { type Assignment, keyOf, type Order, type Report } from './message.ts';

export interface TakeoverOptions {
  readonly rounds: number;
  /** What the active relay gets. */
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** A name of `carriers`. */
  readonly carrier: string;
  /** Called after each round, with what it took in ms. */
  readonly progress?: (took: number) => void;
}

type Process = Member<Order, Report>;

/** The longest moment in which a relay lives on before the signal, in ms: it comes at any point of whatever is periodic. */
const MOMENT = 1_500;

/** Longer than anything may take, in ms. */
const PATIENCE = 120_000;

/**
 * How long a change is not in the log because the relay that was active got a signal just before it, and another one takes
 * over: from the signal until the log has the first change that was committed after it.
 *
 * @returns the times in ms, one for each round
 */
export async function takeover({ rounds, signal, carrier, progress }: TakeoverOptions): Promise<number[]> {
  const way = carriers[carrier];
  if (way === undefined)
    throw new Error(`There is no carrier ${carrier}. Known are ${Object.keys(carriers).join(', ')}.`);
  const [server, redis] = await Promise.all([startPostgres([...way.settings]), startRedis()]);
  const pool = new pg.Pool({ connectionString: server.url, max: 2 });
  pool.on('error', () => {});
  const log = watchLog(redis.url);
  const write = writer(pool, way.carrier);
  const relays = new Pair({ database: server.url, redis: redis.url, carrier }, pool);
  const times: number[] = [];
  try {
    await pool.query('CREATE TABLE item (id int PRIMARY KEY, value int NOT NULL)');
    await way.prepare(server.url);
    await Promise.all([relays.complete(), log.ready()]);
    while (times.length < rounds) {
      const id = times.length + 1;
      await pool.query('INSERT INTO item VALUES ($1, 0)', [id]);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MOMENT));
      const began = relays.strike(signal);
      await write(id);
      const taken = () => log.taken(id);
      const { at } = (await waitUntil(taken, { timeout: PATIENCE, what: `change ${id} in the log` })) as Taken;
      times.push(at - began);
      progress?.(at - began);
      await relays.complete();
    }
    return times;
  } finally {
    await relays.end();
    await log.close();
    await pool.end();
    await Promise.all([server.stop(), redis.stop()]);
  }
}

/** Changes an item, and appends nothing itself: as who dies after the commit. */
function writer(pool: pg.Pool, carrier: Carrier | undefined): (id: number) => Promise<unknown> {
  const sql = 'UPDATE item SET value = 1 WHERE id = $1';
  if (carrier === undefined) return (id) => pool.query(sql, [id]);
  const dead: Invalidator = {
    bypass: (fn) => fn(),
    invalidate: () => Promise.resolve({ status: 'queued', token: 'none' }),
  };
  const { transaction } = createTransactions(dead, { carrier });
  return (id) =>
    transaction(pool, async (tx) => {
      await tx.query(sql, [id]);
      tx.invalidate(key(...keyOf(id)));
    });
}

/** Two relays, one of which works. */
class Pair {
  readonly #assignment: Assignment;
  readonly #pool: pg.Pool;
  #relays: Process[] = [];
  #active: Process | undefined;

  constructor(assignment: Assignment, pool: pg.Pool) {
    this.#assignment = assignment;
    this.#pool = pool;
  }

  /** Resolves when there are two, of which one works and the other waits for it to end; what was stopped goes on. */
  async complete(): Promise<void> {
    for (const relay of this.#relays) relay.child.kill('SIGCONT');
    this.#relays = this.#relays.filter((relay) => !relay.ended);
    while (this.#relays.length < 2) this.#relays.push(this.#start());
    await waitUntil(() => this.#isComplete(), {
      timeout: PATIENCE,
      every: 50,
      what: 'a relay that works, and one that waits',
    });
  }

  /** @returns the time of it, in ms of the wall clock */
  strike(signal: NodeJS.Signals): number {
    const at = performance.timeOrigin + performance.now();
    this.#active?.child.kill(signal);
    return at;
  }

  async end(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.end()));
  }

  #start(): Process {
    const order = { type: 'begin', assignment: this.#assignment } as const;
    return new Member(new URL('./relay-process.ts', import.meta.url), order);
  }

  async #isComplete(): Promise<boolean> {
    const states = await Promise.all(this.#relays.map((relay) => relay.ask({ type: 'status' }, 'status')));
    const { rowCount } = await this.#pool.query(WAITING);
    this.#active = this.#relays[states.findIndex(({ state, works }) => state === 'active' && works)];
    return this.#active !== undefined && rowCount === 1 && states.some(({ state }) => state === 'standby');
  }
}

/** Sessions of relays that ask for the lock and do not have it. */
const WAITING = `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()
  AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')`;
