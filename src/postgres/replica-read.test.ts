import pg from 'pg';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { withContext } from '../cache/load-context.ts';
import type { Query } from '../cache/query.ts';
import { everything, key } from '../coherence/target.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { replicaRead } from './replica-read.ts';
import { createTransactions } from './transactions.ts';

type Served = 'replica' | 'primary' | 'unproved';

let primaryServer: PostgresServer;
let replicaServer: PostgresServer;
let primary: pg.Pool;
let replica: pg.Pool;
let cache: Cache;
let served: Served[];
const onServed = (from: Served): void => void served.push(from);

beforeAll(async () => {
  primaryServer = await startPostgres();
  replicaServer = await primaryServer.replica();
  primary = new pg.Pool({ connectionString: primaryServer.url });
  replica = new pg.Pool({ connectionString: replicaServer.url });
  await primary.query('CREATE TABLE users (id int PRIMARY KEY, name text)');
}, 60_000);
afterAll(async () => {
  await replica.end();
  await primary.end();
  await replicaServer.stop();
  await primaryServer.stop();
});

beforeEach(async () => {
  await primary.query("INSERT INTO users VALUES (1, 'old') ON CONFLICT (id) DO UPDATE SET name = 'old'");
  await caughtUp();
  cache = createCache({ name: 'shop' });
  served = [];
});
afterEach(async () => {
  await replica.query('SELECT pg_wal_replay_resume()');
  await cache.close();
});

async function caughtUp(): Promise<void> {
  const { rows } = await primary.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn');
  await waitUntil(
    async () => {
      const text = 'SELECT pg_last_wal_replay_lsn() >= $1 AS yes';
      return (await replica.query<{ yes: boolean }>(text, [rows[0]?.lsn])).rows[0]?.yes;
    },
    { timeout: 20_000 },
  );
}

const nameOf = async (db: Pick<pg.Pool, 'query'>): Promise<string | undefined> =>
  (await db.query<{ name: string }>('SELECT name FROM users WHERE id = 1')).rows[0]?.name;

function usersOf(databases: { replica: pg.Pool; primary?: pg.Pool }): Query<[number], string | undefined> {
  return cache.query({
    name: 'user',
    load: withContext((ctx, _id: number) => replicaRead(databases, ctx, nameOf, { onServed })),
  });
}

async function rename(name: string): Promise<void> {
  const { transaction } = createTransactions(cache, { carrier: 'none', replicas: true });
  await transaction(primary, async (tx) => {
    await tx.query('UPDATE users SET name = $1 WHERE id = 1', [name]);
    tx.invalidate(key('user', 1));
  });
}

describe('a load from a replica', () => {
  it('goes to the primary while no record has named a bound: nobody knows what the replica must have', async () => {
    const users = usersOf({ replica, primary });
    expect(await users(1)).toBe('old');
    expect(served).toEqual(['primary']);
  });

  it('is served by the replica once it has replayed the commit, and by the primary before', async () => {
    const users = usersOf({ replica, primary });
    await replica.query('SELECT pg_wal_replay_pause()');
    await rename('new');
    expect(await users(1)).toBe('new');
    expect(await nameOf(replica)).toBe('old');
    await replica.query('SELECT pg_wal_replay_resume()');
    await caughtUp();
    await cache.invalidate(everything());
    expect(await users(1)).toBe('new');
    expect(served).toEqual(['primary', 'replica']);
  });

  it('is returned and not kept where no primary may be asked and the replica lags', async () => {
    const users = usersOf({ replica });
    await replica.query('SELECT pg_wal_replay_pause()');
    await rename('new');
    expect(await users(1)).toBe('old');
    await replica.query('SELECT pg_wal_replay_resume()');
    await caughtUp();
    expect(await users(1)).toBe('new');
    expect(await users(1)).toBe('new');
    expect(served).toEqual(['unproved', 'replica']);
  });

  it('goes to the primary after a commit whose bound is unknown, until a bound is known that was read later', async () => {
    const users = usersOf({ replica, primary });
    await cache.invalidate([key('user', 1)], { lsn: 'unknown' });
    await caughtUp();
    await users(1);
    await rename('new');
    await caughtUp();
    expect(await users(1)).toBe('new');
    expect(served).toEqual(['primary', 'replica']);
  });

  it('goes to the primary where the replica cannot be reached', async () => {
    const nowhere = new pg.Pool({ connectionString: 'postgresql://postgres@127.0.0.1:1/postgres' });
    const users = usersOf({ replica: nowhere, primary });
    await rename('new');
    expect(await users(1)).toBe('new');
    expect(served).toEqual(['primary']);
    await nowhere.end();
  });

  it('fails as the primary fails, and gives all connections back', async () => {
    const broken = cache.query({
      name: 'broken',
      load: withContext((ctx) => replicaRead({ replica, primary }, ctx, (db) => db.query('SELECT * FROM nothing'))),
    });
    await rename('new');
    await caughtUp();
    await expect(broken()).rejects.toThrow('nothing');
    expect([replica.totalCount - replica.idleCount, primary.totalCount - primary.idleCount]).toEqual([0, 0]);
  });

  it('takes the sql of postgres as well', async () => {
    const [one, other] = [replicaServer, primaryServer].map(({ url }) => postgres(url));
    const users = cache.query({
      name: 'user',
      load: withContext((ctx, id: number) =>
        replicaRead(
          { replica: one as postgres.Sql, primary: other as postgres.Sql },
          ctx,
          async (sql) => (await sql`SELECT name FROM users WHERE id = ${id}`)[0]?.['name'] as string,
          { onServed },
        ),
      ),
    });
    await rename('new');
    await caughtUp();
    expect(await users(1)).toBe('new');
    expect(served).toEqual(['replica']);
    await Promise.all([one?.end(), other?.end()]);
  });

  it('refuses what is no database, no context, no option', async () => {
    const ctx = { lsn: undefined, skip: () => {} };
    await expect(replicaRead({ replica: 'here' as never }, ctx, nameOf)).rejects.toThrow(/replica: .*no database/);
    await expect(replicaRead({ replica }, {} as never, nameOf)).rejects.toThrow(/withContext/);
    await expect(replicaRead({ replica, primry: primary } as never, ctx, nameOf)).rejects.toThrow(/primry/);
  });
});
