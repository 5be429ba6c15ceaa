import pg from 'pg';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { migrate, migrationScript } from './migrations.ts';

let server: PostgresServer;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startPostgres();
  pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => {});
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const tablesOf = async (schema: string): Promise<unknown[]> =>
  (
    await pool.query('SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1', [
      schema,
    ])
  ).rows.map(({ name }: { name: string }) => name);

it('creates what is missing, once, and says what that was', async () => {
  const made = await migrate(server.url);
  expect(made[0]).toBe('0001-outbox');
  expect(await tablesOf('tidemark')).toEqual(expect.arrayContaining(['migrations', 'outbox', 'relay']));
  expect(await migrate(server.url)).toEqual([]);
});

it('is applied once by several at the same time', async () => {
  const both = await Promise.allSettled([1, 2, 3].map(() => migrate(pool, 'at once')));
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  const { rows } = await pool.query('SELECT name FROM "at once".migrations ORDER BY 1');
  expect(rows[0]).toEqual({ name: '0001-outbox' });
});

it.each(['tidemark two', `it's "quoted"`, 'Größe'])('takes any schema: %s', async (schema) => {
  await migrate(pool, schema);
  expect(await tablesOf(schema)).toContain('outbox');
});

it('leaves the search path of whoever applies the script', async () => {
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query('SET search_path TO elsewhere');
  await client.query(`BEGIN; ${migrationScript('printed')} ${migrationScript('printed')} COMMIT`);
  expect((await client.query('SHOW search_path')).rows).toEqual([{ search_path: 'elsewhere' }]);
  await client.end();
  expect(await tablesOf('printed')).toContain('outbox');
});

it('remembers a step only if all of it was done', async () => {
  await pool.query('CREATE SCHEMA taken; CREATE TABLE taken.relay ()');
  await expect(migrate(pool, 'taken')).rejects.toThrow(/"relay" already exists/);
  expect(await tablesOf('taken')).toEqual(['relay']);
});

it('refuses a name that Postgres would cut', () => {
  expect(() => migrationScript('x'.repeat(64))).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});

it('works on PGlite', async () => {
  const db = await PGlite.create();
  expect(await migrate(db)).toContain('0001-outbox');
  expect(await migrate(db)).toEqual([]);
  await db.close();
}, 120_000);
