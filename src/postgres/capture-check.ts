import { shorten, TidemarkError } from '../coherence/errors.ts';
import { identifier } from './carrier.ts';
import type { Session } from './driver.ts';
import type { TableMapping } from './mapping.ts';
import { type MappingProblem, mappingProblems } from './mapping-problem.ts';
import { publishedTables } from './publication.ts';

/** What is wrong with the server or the role, whatever is captured. */
export async function checkServer(session: Session, schema: string): Promise<void> {
  const [server] = await session.query(
    `SELECT pg_is_in_recovery() AS standby, current_setting('wal_level') AS level, current_user::text AS role,
      current_setting('server_version_num')::int AS version, to_regclass($1) IS NOT NULL AS migrated`,
    [`${identifier(schema)}.capture`],
  );
  if (server?.['standby'] === true) throw wrong('The database is a standby. Give capture the address of the primary.');
  if (Number(server?.['version']) < 140_000)
    throw wrong('Capture needs PostgreSQL 14 or later. Upgrade the server, or use the outbox: capture: false.');
  if (server?.['level'] !== 'logical')
    throw wrong(
      `wal_level is ${shorten(server?.['level'])}, and capture needs logical. Run "ALTER SYSTEM SET wal_level = 'logical';" and restart the server (in managed services it is a parameter, such as rds.logical_replication = 1).`,
    );
  if (server['migrated'] !== true)
    throw wrong(`There is no table ${identifier(schema)}.capture. Run "tidemark postgres migrate".`);
}

/**
 * Checks that mappings are told of every change, and takes note of which tables are partitioned.
 *
 * @throws TidemarkError `INVALID_OPTION` with all that is wrong, a line each, and the statement that mends it
 */
export async function checkMappings(
  session: Session,
  publication: string,
  mappings: ReadonlyMap<string, TableMapping>,
): Promise<void> {
  const published = await publishedTables(session, publication, mappings.values());
  if (published === undefined)
    throw wrong(`There is no publication ${shorten(publication)} in this database. Run "tidemark postgres setup".`);
  const problems = mappingProblems(publication, published, mappings);
  if (problems.length > 0) throw wrong(problemText(problems));
  for (const it of published.tables) {
    const mapping = mappings.get(`${it.schema}.${it.table}`);
    if (mapping !== undefined) mapping.partitioned = it.partitioned;
  }
}

function problemText(problems: readonly MappingProblem[]): string {
  return ['capture cannot tell of every change:', ...problems.map(({ problem, cure }) => `- ${problem}: ${cure}`)].join(
    '\n',
  );
}

function wrong(message: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', message);
}
