import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../cache/system-clock.ts';
import { identifier } from './carrier.ts';
import { type DatabaseOption, databaseOf } from './driver.ts';

/** One numbered step of the schema. */
interface Migration {
  /** Such as `0001-outbox`. */
  readonly name: string;
  readonly sql: string;
}

/** The numbered files beside this module, in order. */
function migrations(): Migration[] {
  const folder = new URL('./migrations/', import.meta.url);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file) => ({
    name: file.replace(/\.sql$/, ''),
    sql: readFileSync(new URL(file, folder), 'utf8').trim(),
  }));
}

/**
 * Creates what the relay and the transactions need, or what is missing of it: each step in a transaction of its own, remembered
 * in the schema's table `migrations`. Several at once wait for each other.
 *
 * @param given an address, a `pg.Pool` or a PGlite, with the rights to create
 * @param schema is created where it does not exist
 * @returns the names of the steps that were missing
 * @throws TidemarkError `INVALID_OPTION` for what is no name; what the database answers
 */
export async function migrate(given: DatabaseOption, schema = 'tidemark'): Promise<readonly string[]> {
  const database = databaseOf(given, systemClock);
  const statements = steps(schema);
  const applied = async (): Promise<Set<unknown>> => {
    const [found] = await database.query(`SELECT to_regclass($1)::text AS found`, [`${identifier(schema)}.migrations`]);
    if (found?.['found'] === null) return new Set();
    const rows = await database.query(`SELECT name FROM ${identifier(schema)}.migrations`);
    return new Set(rows.map(({ name }) => name));
  };
  const before = await applied();
  for (const { statement } of statements) await database.query(statement);
  return statements.map(({ name }) => name).filter((name) => !before.has(name));
}

/**
 * The same as one script, for those who apply their own. Applied again, it does nothing.
 *
 * @throws TidemarkError `INVALID_OPTION` for what is no name
 */
export function migrationScript(schema = 'tidemark'): string {
  return `${steps(schema)
    .map(({ name, statement }) => `-- ${name}\n${statement};`)
    .join('\n\n')}\n`;
}

/** A step as one statement: so it runs in one transaction whatever it is sent by, and only where it is missing. */
function steps(schema: string): { readonly name: string; readonly statement: string }[] {
  const quoted = identifier(schema);
  const text = literal(schema);
  return migrations().map(({ name, sql }) => ({
    name,
    statement: `DO $migration$
DECLARE
  path text := current_setting('search_path');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tidemark migrations ' || ${text}, 0));
  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${text}) THEN
    CREATE SCHEMA ${quoted};
  END IF;
  PERFORM set_config('search_path', quote_ident(${text}), true);
  IF to_regclass(quote_ident(${text}) || '.migrations') IS NULL THEN
    CREATE TABLE migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
  END IF;
  IF NOT EXISTS (SELECT FROM migrations WHERE name = ${literal(name)}) THEN
    EXECUTE $sql$
${sql}
$sql$;
    INSERT INTO migrations (name) VALUES (${literal(name)});
  END IF;
  PERFORM set_config('search_path', path, true);
END
$migration$`,
  }));
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
