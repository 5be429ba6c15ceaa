import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows[0]?.[0];
  } finally {
    await client.end();
  }
}

it('keeps its data over a crash, and is ready for logical replication', async () => {
  await ask(server.url, 'CREATE TABLE kept AS SELECT 42 AS n');
  await server.kill();
  await server.restart();
  expect(await ask(server.url, 'SELECT n FROM kept')).toBe(42);
  expect(await ask(server.url, 'SHOW wal_level')).toBe('logical');
}, 60_000);

it('has replicas that follow it', async () => {
  const replica = await server.replica();
  try {
    await ask(server.url, 'CREATE TABLE later AS SELECT 7 AS n');
    expect(await waitUntil(() => ask(replica.url, 'SELECT n FROM later'), { timeout: 20_000 })).toBe(7);
    expect(await ask(replica.url, 'SELECT pg_is_in_recovery()')).toBe(true);
  } finally {
    await replica.stop();
  }
}, 60_000);
