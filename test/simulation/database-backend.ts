import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { Backend, DatabaseServer } from './database-server.ts';
import { Refusal } from './database-refusal.ts';
import { execute, type Rows } from './database-statement.ts';

/** How long the server lets a connection be silent that has asked for it (`idle_session_timeout`), in ms. */
const IDLE = 5_000;

/** One connection of a relay inside the database's server: executes statements, and ends with what it holds. */
export class DatabaseBackend implements Backend {
  readonly pid: number;
  open = true;
  readonly #server: DatabaseServer;
  readonly #scheduler: Scheduler;
  readonly #ended: () => void;
  /** Whether its commits wait for no standby. */
  #local = false;
  #limited = false;
  #activity = 0;

  /** @param ended called once, when the server ends it */
  constructor(server: DatabaseServer, scheduler: Scheduler, ended: () => void) {
    this.#server = server;
    this.#scheduler = scheduler;
    this.#ended = ended;
    this.pid = server.pid();
    server.backends.add(this);
  }

  /** @param reply called once, unless the connection ends before */
  execute(text: string, values: readonly unknown[], reply: (error: Error | undefined, rows: Rows) => void): void {
    this.#watch();
    if (text.includes('idle_session_timeout') || values.includes('idle_session_timeout')) this.#limited = true;
    if (text.startsWith('SET synchronous_commit')) this.#local = text.includes('local');
    try {
      const { rows, ms = 0, writes = false } = execute(this.#server, this, text, values);
      const answer = (): void => reply(undefined, rows);
      this.#scheduler.after(ms, writes && !this.#local ? () => this.#server.confirmed(answer) : answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply(error, []);
    }
  }

  terminate(): void {
    if (!this.open) return;
    this.close();
    this.#ended();
  }

  /** The client has ended it. */
  close(): void {
    this.open = false;
    this.#server.backends.delete(this);
    for (const [key, holder] of this.#server.locks) if (holder === this) this.#server.locks.delete(key);
  }

  #watch(): void {
    const activity = ++this.#activity;
    this.#scheduler.after(IDLE, () => {
      if (this.#limited && activity === this.#activity) this.terminate();
    });
  }
}
