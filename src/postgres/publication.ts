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
