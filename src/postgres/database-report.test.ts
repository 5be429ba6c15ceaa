import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { databaseReport } from './database-report.ts';
import { migrate } from './migrations.ts';
import { setupCapture } from './setup.ts';

let server: PostgresServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client(server.url);
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client.end();
  await server.stop();
});
afterEach(async () => {
  await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
  await client.query('DROP SCHEMA IF EXISTS tidemark CASCADE; DROP PUBLICATION IF EXISTS tidemark');
});

it('says of a database without outbox and capture that there are none', async () => {
  expect(await databaseReport(server.url)).toEqual({ slot: undefined, outbox: undefined });
});

it('counts what waits in the outbox', async () => {
  await migrate(server.url);
  expect(await databaseReport(server.url)).toEqual({ slot: undefined, outbox: { waiting: 0, oldest: 0 } });
  await client.query(
    "INSERT INTO tidemark.outbox (message, written_at) VALUES ('\\x00', clock_timestamp() - interval '90 s')",
  );
  const { outbox } = await databaseReport(server.url);
  expect(outbox?.waiting).toBe(1);
  expect(outbox?.oldest).toBeGreaterThanOrEqual(90_000);
});

it('says how far a slot is behind, and why it is of no use any more', async () => {
  await migrate(server.url);
  await setupCapture(server.url);
  const made = await databaseReport(server.url);
  expect(made.slot).toMatchObject({ slot: 'tidemark', active: false, problem: expect.stringContaining('was made') });
  await client.query("UPDATE tidemark.capture SET gap = NULL, acknowledged = 'F/0', timeline = '00000001'");
  await client.query('CREATE TABLE filler AS SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 5000) g');
  const { slot } = await databaseReport(server.url);
  expect(slot?.lag).toBeGreaterThan(1_000_000);
  expect(slot?.retained).toBeGreaterThanOrEqual(slot?.lag ?? 0);
  await client.query("DROP TABLE filler; SELECT pg_drop_replication_slot('tidemark')");
  expect((await databaseReport(server.url)).slot).toMatchObject({ problem: 'the slot was dropped', lag: 0 });
});
