import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { identifier } from './carrier.ts';
import type { Row } from './data-layer.ts';
import { pgoutputStreams } from './pgoutput-stream.ts';
import type { OpenWalStream } from './wal-stream.ts';

/** A connection of its own. Statements run one after the other. */
export interface Session {
  /** @throws what the server answers; an error without SQLSTATE once the connection has ended. A statement that takes too long ends it */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Calls `listener` with each notification on a channel, from when this has resolved. */
  listen(channel: string, listener: () => void): Promise<void>;
  /** Calls `listener` once, when the connection has ended for whatever reason; at once where it already has. */
  onEnded(listener: (cause: unknown) => void): void;
  /** Ends the connection. A statement under way may or may not be carried out. */
  end(): void;
}

/** How the relay reaches its database. */
export interface Database {
  /** Whether there is one connection for all: then there are no limits of time, and a lock is always free. */
  readonly embedded: boolean;
  /** Reads its log; `undefined` where the database is embedded. */
  readonly replicate: OpenWalStream | undefined;
  /**
   * Opens a connection of its own.
   *
   * @throws what the client throws; TidemarkError `INVALID_OPTION` where the package `pg` is not installed
   */
  session(): Promise<Session>;
  /** Runs one statement on a connection of its own. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** What is needed of a client of `pg`. */
export interface SessionClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Row[] }>;
  on(event: string, listener: (about: never) => void): unknown;
}

/** What is needed of `pg.Pool`: sessions are clients of it that are kept. */
export interface SessionPool {
  readonly options: object;
  connect(): Promise<SessionClient & { release(error?: Error | boolean): void }>;
}

/** What is needed of PGlite. */
export interface EmbeddedDatabase {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  exec(text: string): Promise<readonly { readonly rows: readonly unknown[] }[]>;
  listen(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>;
}

/** An address such as `postgresql://relay@localhost/shop`, a `pg.Pool`, or a PGlite. */
export type DatabaseOption = string | SessionPool | EmbeddedDatabase;

/** How long connecting may take, and a statement, in ms. */
const CONNECTING = 5_000;
const DEADLINE = 10_000;

/**
 * A database that is reached when it is asked. What was handed in is never closed.
 *
 * @param clock for deadlines
 * @throws TidemarkError `INVALID_OPTION` for what no database is; nothing is loaded or connected
 */
export function databaseOf(given: DatabaseOption, clock: Clock): Database {
  const able = (...names: string[]): boolean =>
    names.every(
      (name) => typeof (given as unknown as Record<string, unknown> | null | undefined)?.[name] === 'function',
    );
  if (typeof given === 'string') return overClients(checkedUrl(given), clock);
  if (able('connect', 'query') && 'totalCount' in given) return overPool(given as SessionPool, clock);
  if (able('query', 'exec', 'listen')) return overEmbedded(given as EmbeddedDatabase);
  throw new TidemarkError(
    'INVALID_OPTION',
    `database: ${shorten(given)} is no database. Give an address such as postgresql://user@host/name, a pg.Pool, or a PGlite.`,
  );
}

function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : 'this';
  if (protocol === 'postgres:' || protocol === 'postgresql:') return url;
  // The password must not get into logs.
  throw new TidemarkError(
    'INVALID_OPTION',
    `database: ${protocol} is no address of Postgres. Give postgresql://user:password@host:5432/name.`,
  );
}

function overClients(url: string, clock: Clock): Database {
  const settings = {
    connectionString: url,
    application_name: 'tidemark',
    connectionTimeoutMillis: CONNECTING,
    keepAlive: true,
  };
  const open = async (): Promise<Session> => {
    const { default: pg } = await import('pg').catch((cause: unknown) => {
      if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
      throw new TidemarkError(
        'INVALID_OPTION',
        'database: an address needs the driver, and it is not installed. Run "npm install pg".',
        { cause },
      );
    });
    const client = new pg.Client(settings);
    const session = new ClientSession(client, clock, () => void client.end().catch(() => {}));
    await client.connect().catch((error: unknown) => {
      session.end();
      throw error;
    });
    return session;
  };
  return database(open, pgoutputStreams(settings, clock));
}

function overPool(pool: SessionPool, clock: Clock): Database {
  const open = async (): Promise<Session> => {
    const connecting = pool.connect();
    const late = (): Error => new Error(`The pool gave no client within ${CONNECTING} ms. Is it large enough?`);
    try {
      const client = await within(clock, CONNECTING, connecting, late);
      return new ClientSession(client, clock, () => client.release(true));
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      throw error;
    }
  };
  return database(open, pgoutputStreams({ ...pool.options }, clock));
}

function database(open: () => Promise<Session>, replicate: OpenWalStream): Database {
  return {
    embedded: false,
    replicate,
    session: open,
    query: async (text, values) => {
      const session = await open();
      try {
        return await session.query(text, values);
      } finally {
        session.end();
      }
    },
  };
}

/** A client of `pg` that nobody else uses. */
class ClientSession implements Session {
  readonly #client: SessionClient;
  readonly #clock: Clock;
  readonly #close: () => void;
  readonly #listeners: ((cause: unknown) => void)[] = [];
  #ended: { readonly cause: unknown } | undefined;
  /** The last statement: `pg` is to be asked one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: SessionClient, clock: Clock, close: () => void) {
    this.#client = client;
    this.#clock = clock;
    this.#close = close;
    // Unheard, an error would end the process.
    client.on('error', (cause) => this.#end(cause));
    client.on('end', () => this.#end(undefined));
  }

  query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const answer = this.#last.then(() => this.#ask(text, values));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async #ask(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    if (this.#ended !== undefined) throw new Error('The connection to Postgres has ended.', this.#ended);
    const late = (): Error => {
      const error = new Error(`Postgres did not answer within ${DEADLINE} ms.`);
      this.#end(error);
      return error;
    };
    const answer = this.#client.query(text, [...values]);
    return (await within(this.#clock, DEADLINE, answer, late)).rows;
  }

  async listen(channel: string, listener: () => void): Promise<void> {
    this.#client.on('notification', (about: { readonly channel: string }) => {
      if (about.channel === channel) listener();
    });
    await this.query(`LISTEN ${identifier(channel)}`);
  }

  onEnded(listener: (cause: unknown) => void): void {
    if (this.#ended === undefined) this.#listeners.push(listener);
    else listener(this.#ended.cause);
  }

  end(): void {
    this.#end(undefined);
  }

  #end(cause: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { cause };
    this.#close();
    for (const listener of this.#listeners.splice(0)) listener(cause);
  }
}

function overEmbedded(db: EmbeddedDatabase): Database {
  const query = async (text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await db.query(text, [...values])).rows as readonly Row[];
  return {
    embedded: true,
    replicate: undefined,
    query,
    session: () => Promise.resolve(new EmbeddedSession(db)),
  };
}

/** The one connection of a PGlite, as if it were a session: it ends alone. */
class EmbeddedSession implements Session {
  readonly #db: EmbeddedDatabase;
  readonly #listeners: ((cause: unknown) => void)[] = [];
  readonly #unlisten: (() => Promise<void>)[] = [];
  #ended = false;

  constructor(db: EmbeddedDatabase) {
    this.#db = db;
  }

  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    if (this.#ended) throw new Error('The session has ended.');
    return (await this.#db.query(text, [...values])).rows as readonly Row[];
  }

  async listen(channel: string, listener: () => void): Promise<void> {
    const unlisten = await this.#db.listen(channel, listener);
    if (this.#ended) await unlisten().catch(() => {});
    else this.#unlisten.push(unlisten);
  }

  onEnded(listener: (cause: unknown) => void): void {
    if (this.#ended) listener(undefined);
    else this.#listeners.push(listener);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const unlisten of this.#unlisten) void unlisten().catch(() => {});
    for (const listener of this.#listeners.splice(0)) listener(undefined);
  }
}
