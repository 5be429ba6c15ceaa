import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { createTransactions } from './transactions.ts';

let server: PostgresServer;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startPostgres();
  pool = new pg.Pool({ connectionString: server.url });
  await pool.query('CREATE TABLE users (id int PRIMARY KEY, name text)');
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});

it('smoke', async () => {
  const cache = createCache({ name: 'shop' });
  const { transaction } = createTransactions(cache, { carrier: 'none' });
  const n = await transaction(pool, async (tx) => {
    const { rows } = await tx.query<{ id: number }>('INSERT INTO users VALUES (1) RETURNING id');
    tx.invalidate(key('user', 1));
    return rows[0]?.id;
  });
  expect(n).toBe(1);
  await cache.close();
});
