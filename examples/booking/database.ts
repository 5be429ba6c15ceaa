import { readFile } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import type { Pool } from 'pg';
import { migrationScript } from 'tidemark/postgres';

/** Runs statements, each by itself. */
export interface Sql {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** The two databases that this example runs on. */
export type Driver = { readonly kind: 'pglite'; readonly db: PGlite } | { readonly kind: 'pg'; readonly db: Pool };

export interface Database extends Sql {
  readonly driver: Driver;
  /** In words, for the first line. */
  readonly described: string;
  close(): Promise<void>;
}

/**
 * Opens the database, with its schema and its first rows.
 *
 * @param url of a Postgres, which gets a schema `booking` once, and keeps it; its user must be allowed to create the extension
 *   `btree_gist`, as the owner of the database is. Without it the database is a PGlite in this process, and goes with it
 */
export async function openDatabase(url?: string): Promise<Database> {
  const driver = url === undefined ? await pglite() : await pool(url);
  const database: Database = {
    driver,
    described: url === undefined ? 'PGlite, in this process' : 'the Postgres of DATABASE_URL',
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (driver.kind === 'pg' ? await driver.db.query(text, [...values]) : await driver.db.query(text, [...values]))
        .rows as Row[],
    close: () => (driver.kind === 'pg' ? driver.db.end() : driver.db.close()),
  };
  try {
    await install(driver);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function pglite(): Promise<Driver> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { btree_gist } = await import('@electric-sql/pglite/contrib/btree_gist');
  return { kind: 'pglite', db: await PGlite.create({ extensions: { btree_gist } }) };
}

async function pool(url: string): Promise<Driver> {
  const { default: pg } = await import('pg');
  const db = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 });
  // A connection that is lost while it waits in the pool is replaced by the next query.
  db.on('error', () => {});
  return { kind: 'pg', db };
}

/** Two services may start at once: the second one waits for the first, and finds everything there. */
async function install(driver: Driver): Promise<void> {
  const scripts = [await script('schema'), await script('seed')];
  const work = async (run: (text: string) => Promise<{ readonly rows: readonly unknown[] } | undefined>) => {
    await run("select pg_advisory_xact_lock(hashtext('booking'))");
    const found = await run("select 1 where to_regnamespace('booking') is not null");
    if (found?.rows.length === 0) for (const text of scripts) await run(text);
    // The outbox; what is there already is left as it is.
    await run(migrationScript());
  };
  if (driver.kind === 'pglite') {
    await driver.db.transaction((tx) => work(async (text) => (await tx.exec(text))[0]));
    return;
  }
  const client = await driver.db.connect();
  try {
    await client.query('begin');
    await work((text) => client.query(text));
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true); // and with it goes the transaction
    throw error;
  }
}

function script(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}
