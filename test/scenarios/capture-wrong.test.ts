import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tag } from '../../src/index.ts';
import { type CaptureOptions, capture, migrate, setupCapture } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type Stage, setStage } from './capture-stage.ts';

// What an administrator has forgotten, and what the relay, or the setup, says about it: on a real server, as a role that is not
// allowed everything.

let stage: Stage;
beforeAll(async () => {
  stage = await setStage(['max_replication_slots=3']);
  await stage.pool.query(`
    CREATE ROLE relay LOGIN REPLICATION;
    CREATE ROLE weak LOGIN;
    GRANT USAGE ON SCHEMA tidemark TO relay, weak;
    GRANT SELECT, INSERT, UPDATE ON tidemark.capture TO relay, weak;
    GRANT SELECT, DELETE ON tidemark.outbox TO relay, weak;
    CREATE TABLE nothing (id int, name text);
    CREATE TABLE parts (id int, org_id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
  `);
  await stage.pool.query('CREATE DATABASE other');
}, 60_000);
afterAll(() => stage.end());

const mapped = (columns: string[], table = 'users'): CaptureOptions => ({
  tables: { [table]: { columns, targets: () => tag('t') } },
});

/** What a relay of a role says that keeps it from capturing. */
async function problem(options: CaptureOptions, role = 'relay', more: object = {}): Promise<string> {
  const relay = stage.relay(options, { database: stage.server.urlOf(role), ...more });
  try {
    return (await waitUntil(() => stage.status(relay).problem, { what: 'a problem', timeout: 8_000 })) ?? '';
  } finally {
    await relay.stop();
  }
}

const said = (options: CaptureOptions, url = stage.server.url): Promise<string> =>
  setupCapture(url, { capture: capture(options) }).then(
    (lines) => lines.join('\n'),
    (error: Error) => error.message,
  );

it('asks for what the role lacks', async () => {
  expect(await said({}, stage.server.urlOf('weak'))).toMatch(/permission denied for database/);
  await stage.pool.query('CREATE PUBLICATION tidemark WITH (publish_via_partition_root)');
  expect(await said({}, stage.server.urlOf('weak'))).toMatch(/may not replicate.*ALTER ROLE \.\.\. REPLICATION/);
  await stage.pool.query('DROP PUBLICATION tidemark');
  await stage.pool.query('REVOKE UPDATE, SELECT ON tidemark.capture FROM weak');
  expect(await problem({}, 'weak')).toMatch(/lacks a privilege: permission denied for table capture.*SELECT, INSERT/);
});

it('asks for the publication', async () => {
  expect(await problem({})).toMatch(
    /^Nothing is captured: there is no slot yet, .*Z\. Run "tidemark postgres setup"\.$/,
  );
  await stage.pool.query("SELECT pg_create_logical_replication_slot('tidemark', 'pgoutput')");
  expect(await problem({})).toBe('There is no publication "tidemark" in this database. Run "tidemark postgres setup".');
});

it('refuses a mapping with all that is wrong with it, and what mends it', async () => {
  await stage.pool.query('CREATE PUBLICATION partial FOR TABLE users (id, name), nothing WHERE (id > 5)');
  const all = {
    users: { columns: ['id', 'org_id'], targets: () => tag('t') },
    nothing: { columns: ['id'], targets: () => tag('t') },
    parts: { columns: ['id', 'org_id'], targets: () => tag('t') },
    'sales.gone': { columns: ['id'], targets: () => tag('t') },
  } as never;
  expect(await said({ tables: all, publication: 'partial' })).toBe(
    [
      'capture cannot tell of every change:',
      '- the publication leaves out the column org_id of public.users: ALTER PUBLICATION "partial" DROP TABLE "public"."users"; ALTER PUBLICATION "partial" ADD TABLE "public"."users";',
      '- public.users needs org_id of old rows, and public.users does not log it: ALTER TABLE "public"."users" REPLICA IDENTITY FULL;',
      '- the publication leaves out rows of public.nothing: ALTER PUBLICATION "partial" DROP TABLE "public"."nothing"; ALTER PUBLICATION "partial" ADD TABLE "public"."nothing";',
      '- public.nothing needs id of old rows, and public.nothing does not log it: ALTER TABLE "public"."nothing" REPLICA IDENTITY FULL;',
      '- public.parts is partitioned, and the publication tells of its partitions: ALTER PUBLICATION "partial" SET (publish_via_partition_root = true);',
      '- public.parts needs org_id of old rows, and public.parts_1 does not log it: ALTER TABLE "public"."parts_1" REPLICA IDENTITY FULL;',
      '- there is no table sales.gone: correct its name in capture.tables',
    ].join('\n'),
  );
  expect(await said({ ...mapped(['idd']), publication: 'partial' })).toMatch(
    /public.users has no column idd: take one of id, org_id, name, note$/,
  );
  await stage.pool.query("CREATE PUBLICATION inserts FOR TABLE users WITH (publish = 'insert')");
  expect(await said({ ...mapped(['id']), publication: 'inserts' })).toBe(
    'capture cannot tell of every change:\n- the publication inserts leaves out update, delete, truncate: ALTER PUBLICATION "inserts" SET (publish = \'insert, update, delete, truncate\');',
  );
});

it('each statement that it names mends what it is said of', async () => {
  const options: CaptureOptions = {
    publication: 'partial',
    tables: {
      users: { columns: ['id', 'org_id'], targets: () => tag('t') },
      nothing: { columns: ['id'], targets: () => tag('t') },
      parts: { columns: ['id', 'org_id'], targets: () => tag('t') },
    },
  };
  for (let rounds = 0; rounds < 3; rounds++) {
    const cures = [...(await said(options)).matchAll(/^- .*?: (ALTER .*;)$/gm)].map(([, cure]) => cure as string);
    if (cures.length === 0) break;
    for (const cure of cures) await stage.pool.query(cure);
  }
  expect(await said({ ...options, slot: 'mended' })).toMatch(/slot mended/);
  await stage.pool.query("SELECT pg_drop_replication_slot('mended')");
});

it('refuses a slot that is not its own', async () => {
  await stage.pool.query('CREATE PUBLICATION tidemark FOR TABLE users WITH (publish_via_partition_root)');
  await stage.pool
    .query("SELECT pg_create_logical_replication_slot('other_plugin', 'test_decoding')")
    .catch(() => stage.pool.query("SELECT pg_create_physical_replication_slot('other_plugin')"));
  expect(await problem({ slot: 'other_plugin' })).toMatch(
    /is (a physical one|one of the plugin test_decoding, not of pgoutput)\. Give capture a slot of its own/,
  );
  await migrate(stage.server.urlOf('postgres', 'other'));
  const other = new pg.Client(stage.server.urlOf('postgres', 'other'));
  await other.connect();
  await other.query("SELECT pg_create_logical_replication_slot('elsewhere', 'pgoutput')");
  await other.end();
  expect(await problem({ slot: 'elsewhere' })).toMatch(/belongs to the database "other", not to "postgres"/);
});

it('says which process reads its slot', async () => {
  await setupCapture(stage.server.url);
  // As a role that may do no more than the relay needs.
  const first = stage.relay({}, { database: stage.server.urlOf('relay') });
  await stage.streaming(first);
  expect(await problem({}, 'relay', { name: 'another' })).toMatch(
    /^The replication slot "tidemark" is in use by another reader, the server process \d+\. End that reader/,
  );
  await first.stop();
});

it('says that there are no slots left', async () => {
  expect(await said({ slot: 'fourth' })).toMatch(/no replication slot left. Raise max_replication_slots/);
});

it('asks for the primary, for the tables and for wal_level', async () => {
  const replica = await stage.server.replica();
  try {
    expect(await said({}, replica.url)).toBe('The database is a standby. Give capture the address of the primary.');
  } finally {
    await replica.stop();
  }
  const bare = new pg.Client(stage.server.url);
  await bare.connect();
  await bare.query('CREATE DATABASE bare');
  await bare.end();
  expect(await said({}, stage.server.urlOf('postgres', 'bare'))).toMatch(
    /^There is no table "tidemark".capture. Run "tidemark postgres migrate"/,
  );
  await stage.pool.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
  await stage.server.restart(['wal_level=replica']);
  expect(await said({})).toMatch(/^wal_level is "replica", and capture needs logical. Run "ALTER SYSTEM SET wal_level/);
}, 60_000);

it('refuses options before anything is connected', () => {
  const refused: [CaptureOptions, RegExp][] = [
    [{ slot: 'Tide' }, /capture.slot: "Tide" is no name of a slot/],
    [{ publication: "it's" }, /capture.publication/],
    [{ recreate: 'always' as never }, /capture.recreate: "always"/],
    [{ maxTargets: 0 }, /capture.maxTargets: 0/],
    [{ maxRetained: '1tb' as never }, /capture.maxRetained/],
    [{ tabels: {} } as never, /there is no option "tabels"/],
    [mapped([]), /columns: .* is no list of columns/],
    [{ tables: { users: { columns: ['id'] } } as never }, /targets: undefined is no function/],
    [
      {
        tables: {
          users: { columns: ['id'], targets: () => tag('t') },
          'public.users': { columns: ['id'], targets: () => tag('t') },
        },
      },
      /mapped twice/,
    ],
    [
      { tables: { users: { columns: ['id'], targets: () => tag('t'), truncated: 'all' } } as never },
      /truncated: "all" is not a target/,
    ],
  ];
  for (const [options, message] of refused) expect(() => stage.relay(options)).toThrow(message);
});
