import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { type EmbeddedPostgres, startPostgres } from './postgres.ts';

/** What `postgres` answers for the types that it would otherwise leave as strings; our amounts and counts fit a number. */
const types = {
  numeric: { to: 1700, from: [1700], serialize: String, parse: Number },
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
};
type Types = { numeric: number; bigint: number };

/** Runs statements, each on a connection of the pool. */
export type Sql = postgres.Sql<Types>;
/** Runs the statements of one transaction. */
export type Transaction = postgres.TransactionSql<Types>;

export interface Database {
  readonly sql: Sql;
  /** Whether its books have just been made. */
  readonly isNew: boolean;
  /** What another process needs in its environment to open it by `DATABASE_URL`. */
  readonly environment: NodeJS.ProcessEnv;
  /** Waits for the statements that run, at most 5 s, then leaves nothing behind. */
  close(): Promise<void>;
}

/**
 * Opens the franchise database, with its schema and its books.
 *
 * @param url of a Postgres of your own; gets a schema `franchise`, once, and keeps it. Without it a Postgres is started
 *   for this process and goes with it
 */
export async function openDatabase(url?: string): Promise<Database> {
  const options = { types, max: 8, connection: { search_path: 'franchise' }, onnotice: () => {} };
  const server = url === undefined ? await startPostgres() : undefined;
  const place = {
    host: server?.socketFolder ?? '',
    port: 5432,
    username: 'postgres',
    password: '',
    database: 'postgres',
  };
  const sql = server ? postgres({ ...options, ...place }) : postgres(url ?? '', options);
  const close = async (): Promise<void> => {
    await sql.end({ timeout: 5 });
    await server?.stop();
  };
  try {
    return { sql, isNew: await install(sql), environment: server ? reach(server) : { DATABASE_URL: url }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The variables by which clients of Postgres find a server that has a socket and no port. */
function reach({ socketFolder }: EmbeddedPostgres): NodeJS.ProcessEnv {
  return { DATABASE_URL: 'postgres:///postgres', PGHOST: socketFolder, PGPORT: '5432', PGUSER: 'postgres' };
}

/** @returns whether there were no books before */
function install(sql: Sql): Promise<boolean> {
  return sql.begin(async (transaction) => {
    // Of services that start at once, one makes the books.
    await transaction`select pg_advisory_xact_lock(20251121)`;
    const [found] = await transaction`select to_regnamespace('franchise') is not null as installed`;
    if (found?.['installed']) return false;
    for (const file of ['schema', 'seed']) {
      await transaction.unsafe(await readFile(new URL(`./sql/${file}.sql`, import.meta.url), 'utf8'));
    }
    return true;
  });
}
