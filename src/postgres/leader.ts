import { createHash } from 'node:crypto';
import type { PartContext } from '../coherence/part.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { Pause } from '../coherence/pause.ts';
import type { Database, Session } from './driver.ts';

export interface LeaderHooks {
  /** This relay has the lock, and keeps it as long as the session lasts. */
  elected(session: Session): Promise<void>;
  /** It has it no more: resolves when nothing works any more on the strength of it. */
  deposed(cause: unknown): Promise<void>;
  /** The database does not answer, or refuses. */
  failed(error: unknown, failures: number): void;
}

export interface LeaderParts {
  readonly database: Database;
  readonly context: PartContext;
  /** Names the lock. */
  readonly key: string;
  readonly hooks: LeaderHooks;
}

/** How often a relay that waits asks for the lock, in ms: how long a takeover takes when the active one's process is gone. */
const RETRY = 500;

/** How often the active one says that it is there, in ms. */
const HEARTBEAT = 1_000;

/**
 * What the server is asked to do about a connection that is silent: end it, and so free its lock. The first is the one that
 * counts, also for a process that is stopped; the others are for servers before Postgres 14, and for answers nobody takes.
 */
const LIMITS: Readonly<Record<string, string>> = {
  idle_session_timeout: '5s',
  idle_in_transaction_session_timeout: '5s',
  tcp_user_timeout: '5s',
  tcp_keepalives_idle: '2',
  tcp_keepalives_interval: '1',
  tcp_keepalives_count: '3',
};

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * One of several relays works, the others stand by: who holds an advisory lock, on a session of its own.
 *
 * - `connecting`: no session. Left for `waiting` when there is one, on a server that is no replica
 * - `waiting`: the lock is another's. Left for `active` when it is had
 * - `active`: left for `connecting` when the session ends
 *
 * Two may be active at once: 1. The active one's process is stopped. 2. The server ends its session, and another takes over.
 * 3. The first goes on, with an append under way. That is harmless: what each appends may be appended twice, neither gives up
 * a change before the log has proven that it holds it, and all that the first asks the database over the session that was
 * ended is refused.
 */
export class Leader {
  readonly #parts: LeaderParts;
  readonly #pauses: Pause;
  #session: Session | undefined;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: LeaderParts) {
    this.#parts = parts;
    this.#pauses = new Pause(parts.context.clock);
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Gives up the lock. Resolves when `deposed` has. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#session?.end();
    this.#pauses.end();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      let cause: unknown;
      let elected = false;
      try {
        const session = await this.#connect();
        elected = await this.#wait(session);
        if (elected) cause = await this.#lead(session);
      } catch (error) {
        cause = error;
      } finally {
        this.#session?.end();
      }
      if (this.#stopped) return;
      failures = elected ? 1 : failures + 1;
      this.#parts.hooks.failed(cause ?? new Error('The connection to Postgres has ended.'), failures);
      await this.#pauses.pass(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (0.5 + this.#random()));
    }
  }

  async #connect(): Promise<Session> {
    const session = await this.#parts.database.session();
    this.#session = session;
    if (this.#stopped) session.end();
    if (this.#parts.database.embedded) return session;
    const [row] = await session.query('SELECT pg_is_in_recovery() AS replica');
    if (row?.['replica'] === true)
      throw new TidemarkError(
        'INVALID_OPTION',
        'database: this server is a replica. Give the address of the primary, or one that leads to it after a failover (target_session_attrs, or your proxy).',
      );
    const limits = Object.entries(LIMITS);
    // Those that this server does not know are left out.
    await session.query(
      `SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES ${limits.map((_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join(', ')}) AS wanted (name, value) USING (name)`,
      limits.flat(),
    );
    return session;
  }

  /** @returns whether the lock was had, rather than the relay stopped */
  async #wait(session: Session): Promise<boolean> {
    const key = lockKey(this.#parts.key);
    while (!this.#stopped) {
      const [row] = await session.query('SELECT pg_try_advisory_lock($1::bigint) AS had', [key]);
      if (row?.['had'] === true) return !this.#stopped;
      await this.#pauses.pass(RETRY);
    }
    return false;
  }

  /** @returns why the session has ended */
  async #lead(session: Session): Promise<unknown> {
    const ended = new Promise<unknown>((resolve) => session.onEnded(resolve));
    session.onEnded(() => this.#pauses.end());
    let over = false;
    void ended.then(() => (over = true));
    let cause: unknown;
    try {
      await this.#parts.hooks.elected(session);
      const { pid } = await this.#beat(session);
      while (!over && !this.#stopped) {
        await this.#pauses.pass(HEARTBEAT);
        if (over || this.#stopped) break;
        if ((await this.#beat(session)).pid !== pid)
          throw new TidemarkError(
            'INVALID_OPTION',
            'database: a pooler gives each statement to another connection, so no lock can be held. Give an address that leads to Postgres itself, or a pooler in session mode.',
          );
      }
    } catch (error) {
      cause = error;
    } finally {
      session.end();
      cause = (await ended) ?? cause;
      await this.#parts.hooks.deposed(cause);
    }
    return cause;
  }

  async #beat(session: Session): Promise<{ pid: unknown }> {
    const [row] = await session.query('SELECT pg_backend_pid() AS pid');
    return { pid: row?.['pid'] };
  }

  #random(): number {
    return this.#parts.context.random();
  }
}

/** A lock's number from its name. */
function lockKey(name: string): string {
  return createHash('sha256').update(`tidemark relay ${name}`).digest().readBigInt64BE().toString();
}
