import { shorten, TidemarkError } from '../coherence/errors.ts';
import { identifier } from './carrier.ts';
import type { Session } from './driver.ts';
import type { TableMapping } from './mapping.ts';

/** A table as the database describes it. */
export interface PublishedTable {
  readonly schema: string;
  readonly table: string;
  readonly exists: boolean;
  readonly partitioned: boolean;
  /** Its columns that are published; `null` where it is not in the publication. */
  readonly published: readonly string[] | null;
  /** Whether only some of its rows are published. */
  readonly filtered: boolean;
  readonly columns: readonly string[];
  /** What is logged of old rows: of itself, or of each of its partitions. */
  readonly identities: readonly RowIdentity[];
}

/** How the log tells of old rows of a table. */
export interface RowIdentity {
  readonly schema: string;
  readonly table: string;
  readonly full: boolean;
  readonly columns: readonly string[];
}

export interface Published {
  /** What kinds of changes are not published. */
  readonly unpublished: readonly string[];
  readonly viaRoot: boolean;
  readonly tables: readonly PublishedTable[];
}

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

/** What is published, or `undefined` where there is no such publication. */
export async function publishedTables(
  session: Session,
  publication: string,
  mappings: Iterable<TableMapping>,
): Promise<Published | undefined> {
  const [found] = await session.query(
    `SELECT pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot FROM pg_publication WHERE pubname = $1`,
    [publication],
  );
  if (found === undefined) return undefined;
  const wanted = [...mappings].map(({ schema, table }) => ({ schema, table }));
  const rows = await session.query(TABLES, [publication, JSON.stringify(wanted)]);
  return {
    unpublished: ['insert', 'update', 'delete', 'truncate'].filter((it) => found[`pub${it}`] !== true),
    viaRoot: found['pubviaroot'] === true,
    tables: rows.map(({ facts }) => facts as PublishedTable),
  };
}

// The view's later columns are asked for as JSON, since PostgreSQL 14 does not have them.
const TABLES = `SELECT jsonb_build_object(
  'schema', w.schema, 'table', w.name, 'exists', c.oid IS NOT NULL, 'partitioned', coalesce(c.relkind = 'p', false),
  'published', CASE WHEN t.tablename IS NULL THEN NULL ELSE coalesce(nullif(to_jsonb(t)->'attnames', 'null'), k.columns) END,
  'filtered', coalesce(to_jsonb(t)->>'rowfilter' IS NOT NULL, false),
  'columns', k.columns,
  'identities', coalesce((
    SELECT jsonb_agg(jsonb_build_object('schema', ln.nspname, 'table', l.relname, 'full', l.relreplident = 'f',
      'columns', coalesce((SELECT jsonb_agg(a.attname) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
        WHERE i.indrelid = l.oid AND i.indisvalid AND i.indimmediate
          AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END), '[]')))
    FROM pg_class l JOIN pg_namespace ln ON ln.oid = l.relnamespace
    WHERE l.oid = c.oid AND c.relkind <> 'p'
      OR c.relkind = 'p' AND l.oid IN (SELECT p.relid FROM pg_partition_tree(c.oid) p WHERE p.isleaf)), '[]')
) AS facts
FROM jsonb_to_recordset($2::jsonb) AS wanted(schema text, "table" text)
CROSS JOIN LATERAL (SELECT wanted.schema, wanted."table" AS name) w
LEFT JOIN pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')
LEFT JOIN pg_publication_tables t ON t.pubname = $1 AND t.schemaname = w.schema AND t.tablename = w.name
CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(a.attname), '[]') AS columns FROM pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) k`;

/** A problem of a mapping, and what mends it. */
export interface MappingProblem {
  readonly problem: string;
  /** A statement, where one does. */
  readonly cure: string;
}

/** What keeps mappings from being told of every change, each with the statement that mends it. */
export function mappingProblems(
  publication: string,
  published: Published,
  mappings: ReadonlyMap<string, TableMapping>,
): MappingProblem[] {
  const problems: MappingProblem[] = [];
  const name = identifier(publication);
  if (published.unpublished.length > 0 && mappings.size > 0)
    problems.push({
      problem: `the publication ${publication} leaves out ${published.unpublished.join(', ')}`,
      cure: `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate');`,
    });
  for (const it of published.tables) {
    const mapping = mappings.get(`${it.schema}.${it.table}`);
    if (mapping !== undefined) problems.push(...tableProblems(name, published, it, mapping));
  }
  return problems;
}

function tableProblems(
  publication: string,
  { viaRoot }: Published,
  it: PublishedTable,
  mapping: TableMapping,
): MappingProblem[] {
  const table = `${identifier(it.schema)}.${identifier(it.table)}`;
  if (!it.exists) return [{ problem: `there is no table ${mapping.name}`, cure: 'correct its name in capture.tables' }];
  const unknown = mapping.columns.filter((column) => !it.columns.includes(column));
  if (unknown.length > 0)
    return [
      { problem: `${mapping.name} has no column ${unknown.join(', ')}`, cure: `take one of ${it.columns.join(', ')}` },
    ];
  const problems: MappingProblem[] = [];
  if (it.partitioned && !viaRoot)
    problems.push({
      problem: `${mapping.name} is partitioned, and the publication tells of its partitions`,
      cure: `ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true);`,
    });
  const { published } = it;
  if (published === null) {
    if (!it.partitioned || viaRoot)
      problems.push({
        problem: `${mapping.name} is not in the publication`,
        cure: `ALTER PUBLICATION ${publication} ADD TABLE ${table};`,
      });
  } else {
    const left = mapping.columns.filter((column) => !published.includes(column));
    if (left.length > 0 || it.filtered)
      problems.push({
        problem: `the publication leaves out ${left.length > 0 ? `the column ${left.join(', ')}` : 'rows'} of ${mapping.name}`,
        cure: `ALTER PUBLICATION ${publication} DROP TABLE ${table}; ALTER PUBLICATION ${publication} ADD TABLE ${table};`,
      });
  }
  return [...problems, ...identityProblems(it, mapping)];
}

function identityProblems({ identities }: PublishedTable, mapping: TableMapping): MappingProblem[] {
  return identities.flatMap((identity) => {
    const unknown = mapping.columns.filter((column) => !identity.columns.includes(column));
    if (identity.full || unknown.length === 0) return [];
    const table = `${identifier(identity.schema)}.${identifier(identity.table)}`;
    return [
      {
        problem: `${mapping.name} needs ${unknown.join(', ')} of old rows, and ${identity.schema}.${identity.table} does not log ${unknown.length > 1 ? 'them' : 'it'}`,
        cure: `ALTER TABLE ${table} REPLICA IDENTITY FULL;`,
      },
    ];
  });
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

/** What an error of the server means for capture, and the cure; the error itself where it means nothing in particular. */
export function captureError(error: unknown, slot: string): unknown {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  const mended = (text: string): TidemarkError => new TidemarkError('INVALID_OPTION', text, { cause: error });
  if (code === '42501' && /replication|WAL sender/i.test(message))
    return mended(
      'The role may not replicate. Run "ALTER ROLE ... REPLICATION;" as a superuser (in managed services grant what stands for it, such as rds_replication).',
    );
  if (code === '42501')
    return mended(
      `The role lacks a privilege: ${message}. It needs USAGE on the schema and SELECT, INSERT and UPDATE on the table capture.`,
    );
  if (code === '55006')
    return mended(`The replication slot ${shorten(slot)} is in use: ${message}. End its other reader.`);
  if (code === '53400')
    return mended(
      'The server has no replication slot left. Raise max_replication_slots and restart it, or drop a slot that nobody uses (SELECT * FROM pg_replication_slots WHERE NOT active).',
    );
  if (code === '53300' && /walsender|wal_senders|replication/i.test(message))
    return mended('The server has no WAL sender left. Raise max_wal_senders and restart it.');
  return error;
}

function wrong(message: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', message);
}
