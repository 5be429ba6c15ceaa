import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Lsn } from '../coherence/record.ts';
import { formatLsn } from './lsn.ts';
import { type PgPool, type PgQueryable, pgLayer } from './pg.ts';
import { type PostgresJsSql, type PostgresJsTransactionSqlOf, postgresJsLayer } from './postgres-js.ts';
import type { DataLayer } from './transaction.ts';

/** What a replica read needs to know of the load, and may decide: the context of a loader. */
export interface ReplicaContext {
  /** See `LoadContext.lsn`. */
  readonly lsn: Lsn;
  /** Returns the value without keeping it. */
  skip(): void;
}

/** Where a load may read: `D` is a `pg.Pool` or the `sql` of `postgres`. */
export interface ReplicaDatabases<D> {
  /** The replicas, behind one address or not: what is asked and what is read is on one connection. */
  readonly replica: D;
  /** Without it every value that no replica can prove is returned without being kept. */
  readonly primary?: D;
}

export interface ReplicaReadOptions {
  /** Told where a value came from: `'unproved'` of one that was not kept. */
  readonly onServed?: (from: 'replica' | 'primary' | 'unproved') => void;
}

/**
 * Reads from a replica what is to be cached, if it has replayed every commit that this node has heard of; from the primary
 * otherwise. Not knowing is not enough: a bound that is unknown, or that no record has named, goes to the primary.
 *
 * What it costs is a round trip more than the read, for the question how far the replica is. It relies on the bounds of records,
 * so every writer of these data gives them: `createTransactions(cache, { replicas: true })`, and the relay.
 *
 * @param databases of one driver
 * @param ctx of the loader, see `withContext`
 * @param read reads with what it is given, once or, where the replica fails, twice; on the replica that is a read-only transaction
 * @returns what `read` returns
 * @throws what `read` throws on the primary; TidemarkError `INVALID_OPTION`
 * @example
 * load: withContext((ctx, id: number) => replicaRead({ replica, primary }, ctx, async (db) => userOf(await db.query(SQL, [id]))))
 */
export function replicaRead<P extends PgPool, T>(
  databases: ReplicaDatabases<P>,
  ctx: ReplicaContext,
  read: (db: Pick<P, 'query'>) => T | Promise<T>,
  options?: ReplicaReadOptions,
): Promise<T>;
export function replicaRead<S extends PostgresJsSql, T>(
  databases: ReplicaDatabases<S>,
  ctx: ReplicaContext,
  read: (sql: S | PostgresJsTransactionSqlOf<S>) => T | Promise<T>,
  options?: ReplicaReadOptions,
): Promise<T>;
export async function replicaRead<T>(
  databases: ReplicaDatabases<unknown>,
  ctx: ReplicaContext,
  read: (db: never) => T | Promise<T>,
  options: ReplicaReadOptions = {},
): Promise<T> {
  checkKnown(databases, ['replica', 'primary'], 'replicaRead()');
  checkKnown(options, ['onServed'], 'replicaRead()');
  const layer = layerOf(databases.replica, 'replica');
  const { primary } = databases;
  if (primary !== undefined) layerOf(primary, 'primary');
  if (typeof ctx?.skip !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `replicaRead: ${shorten(ctx)} is no context of a load. Make the loader with withContext((ctx, ...args) => ...).`,
    );
  if (typeof ctx.lsn === 'bigint') {
    const proved = await replayed(layer, ctx.lsn, read);
    if (proved !== undefined) {
      options.onServed?.('replica');
      return proved.value;
    }
  }
  if (primary !== undefined) {
    const value = await read(primary as never);
    options.onServed?.('primary');
    return value;
  }
  ctx.skip();
  const value = await layer.begin((db) => Promise.resolve(read(readable(db) as never)), { isolation: undefined });
  options.onServed?.('unproved');
  return value;
}

/** What `read` reads on a replica that has replayed up to `lsn`; `undefined` where it has not, or cannot be read. */
async function replayed<T>(
  layer: DataLayer<unknown>,
  lsn: bigint,
  read: (db: never) => T | Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  try {
    return await layer.begin(
      async (db) => {
        const [row] = await layer.query(db, { text: replayedUpTo(lsn), values: [] });
        if (row?.['reached'] !== true) return undefined;
        // Its snapshot is taken after the answer: in the default isolation each statement has its own.
        return { value: await read(readable(db) as never) };
      },
      { isolation: 'read committed' },
    );
  } catch {
    // It may be gone, or have cancelled the read for what it replays. What is wrong with the read itself, the primary says too.
    return undefined;
  }
}

/** A replica that was promoted has all that it has written itself. */
function replayedUpTo(lsn: bigint): string {
  const position = 'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END';
  return `SELECT coalesce(${position} >= '${formatLsn(lsn)}'::pg_lsn, false) AS reached`;
}

/** As its owner may use it: a client of `pg` is not to be released by whoever reads. */
function readable(db: unknown): unknown {
  return typeof db === 'function'
    ? db
    : { query: (...args: unknown[]) => (db as PgQueryable).query(...(args as [string])) };
}

function layerOf(db: unknown, option: string): DataLayer<unknown> {
  if (isPostgresJs(db)) return postgresJsLayer(db);
  if (isPgPool(db)) return pgLayer(db);
  throw new TidemarkError(
    'INVALID_OPTION',
    `${option}: ${shorten(db)} is no database. Give a pg.Pool, or the sql of postgres().`,
  );
}

function isPostgresJs(db: unknown): db is PostgresJsSql {
  return isAble(db, 'begin', 'unsafe');
}

function isPgPool(db: unknown): db is PgPool {
  return isAble(db, 'connect', 'query');
}

function isAble(db: unknown, ...names: string[]): boolean {
  return names.every((name) => typeof (db as Record<string, unknown> | null | undefined)?.[name] === 'function');
}
