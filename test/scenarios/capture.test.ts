import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { tag, type Target } from '../../src/index.ts';
import { coverageOf } from '../../src/coherence/record.ts';
import { encodeDraft } from '../../src/coherence/wire.ts';
import { capture, captureTables, createTransactions, type Relay, setupCapture } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type Stage, setStage } from './capture-stage.ts';

interface Tables {
  full: { id: number; org_id: number };
  plain: { id: number; name: string };
  pair: { a: number; b: string };
  big: { id: bigint; day: string; flag: boolean; note: string };
  many: { id: number };
  'sales.parts': { id: number; org_id: number; year: number };
  wrong: { id: number };
  marks: { id: number };
}

const tables = captureTables<Tables>()({
  full: { columns: ['id', 'org_id'], targets: (row) => [tag(`full:${row.id}`), tag(`org:${row.org_id}`)] },
  plain: { columns: ['id'], targets: (row) => tag(`plain:${row.id}`), truncated: tag('plain') },
  pair: { columns: ['a', 'b'], targets: (row) => tag(`pair:${row.a}-${row.b}`) },
  big: {
    columns: ['id', 'day', 'flag', 'note'],
    targets: (row) => tag(`big:${row.id + 1n}:${row.day}:${row.flag}:${row.note.length}`),
  },
  many: { columns: ['id'], targets: (row) => tag(`many:${row.id}`), truncated: [tag('many')] },
  'sales.parts': { columns: ['id', 'org_id'], targets: (row) => [tag(`part:${row.id}`), tag(`porg:${row.org_id}`)] },
  marks: { columns: ['id'], targets: (row) => tag(`mark:${row.id}`) },
  wrong: {
    columns: ['id'],
    targets: (row): Target => {
      if (row.id === 13) throw new Error('thirteen');
      return tag(`wrong:${row.id}`);
    },
  },
});

let stage: Stage;
let relay: Relay;
beforeAll(async () => {
  stage = await setStage();
  await stage.pool.query(`
    CREATE TABLE "full" (id int PRIMARY KEY, org_id int NOT NULL, note text);
    ALTER TABLE "full" REPLICA IDENTITY FULL;
    CREATE TABLE plain (id int PRIMARY KEY, name text);
    CREATE TABLE pair (a int, b text, c int, PRIMARY KEY (a, b));
    CREATE TABLE big (id bigint, day date, flag boolean, note text);
    ALTER TABLE big REPLICA IDENTITY FULL;
    CREATE TABLE many (id int PRIMARY KEY);
    CREATE TABLE wrong (id int PRIMARY KEY);
    CREATE SCHEMA sales;
    CREATE TABLE sales.parts (id int, org_id int, year int) PARTITION BY RANGE (year);
    CREATE TABLE sales.parts_1 PARTITION OF sales.parts FOR VALUES FROM (0) TO (2000);
    CREATE TABLE sales.parts_2 PARTITION OF sales.parts FOR VALUES FROM (2000) TO (3000);
    ALTER TABLE sales.parts REPLICA IDENTITY FULL;
    ALTER TABLE sales.parts_1 REPLICA IDENTITY FULL;
    ALTER TABLE sales.parts_2 REPLICA IDENTITY FULL;
    CREATE TABLE unmapped (id int PRIMARY KEY);
    CREATE TABLE marks (id int PRIMARY KEY);
  `);
  const mapped = capture({ tables, maxTargets: 100 });
  await setupCapture(stage.server.url, { capture: mapped });
  relay = stage.relay({ tables, maxTargets: 100 });
  await stage.streaming(relay);
}, 60_000);
afterAll(() => stage.end());
beforeEach(() => {
  stage.events.length = 0;
});

let marks = 0;
/** Writes to the database, and returns which of these the cache has lost by that. */
async function lost(write: string | (() => Promise<void>), names: readonly string[]): Promise<string[]> {
  const mark = `mark:${++marks}`;
  await stage.keep(...names, mark);
  await (typeof write === 'string' ? stage.pool.query(write) : write());
  // What comes later is told later.
  await stage.pool.query('INSERT INTO marks VALUES ($1)', [marks]);
  await stage.gone(mark);
  return names.filter((name) => stage.holds(name)[0] === false);
}

it('tells of rows that are inserted, changed and deleted, by their key', async () => {
  expect(await lost("INSERT INTO plain VALUES (1, 'a'), (2, 'b')", ['plain:1', 'plain:2', 'plain:3', 'plain'])).toEqual(
    ['plain:1', 'plain:2'],
  );
  expect(await lost("UPDATE plain SET name = 'c' WHERE id = 1", ['plain:1', 'plain:2'])).toEqual(['plain:1']);
  expect(await lost('UPDATE plain SET id = 3 WHERE id = 1', ['plain:1', 'plain:3', 'plain:2'])).toEqual([
    'plain:1',
    'plain:3',
  ]);
  expect(await lost('DELETE FROM plain WHERE id = 2', ['plain:2', 'plain:3'])).toEqual(['plain:2']);
});

it('tells of a row that moves, old and new', async () => {
  expect(await lost('INSERT INTO "full" VALUES (1, 7, \'x\')', ['full:1', 'org:7', 'org:8'])).toEqual([
    'full:1',
    'org:7',
  ]);
  expect(await lost('UPDATE "full" SET org_id = 8', ['org:7', 'org:8', 'full:1', 'org:9'])).toEqual([
    'org:7',
    'org:8',
    'full:1',
  ]);
  expect(await lost('DELETE FROM "full"', ['org:8', 'full:1', 'org:7'])).toEqual(['org:8', 'full:1']);
});

it('takes keys of several columns, and types', async () => {
  expect(await lost("INSERT INTO pair VALUES (1, 'x', 0)", ['pair:1-x', 'pair:1-y'])).toEqual(['pair:1-x']);
  expect(await lost("UPDATE pair SET b = 'y'", ['pair:1-x', 'pair:1-y', 'pair:2-x'])).toEqual(['pair:1-x', 'pair:1-y']);
  expect(
    await lost("INSERT INTO big VALUES (9007199254740993, '2025-11-21', true, 'abc')", [
      'big:9007199254740994:2025-11-21:true:3',
      'big:9007199254740994:2025-11-21:false:3',
    ]),
  ).toEqual(['big:9007199254740994:2025-11-21:true:3']);
});

it('knows a large value that has not changed', async () => {
  await stage.pool.query('ALTER TABLE big ALTER note SET STORAGE EXTERNAL');
  expect(
    await lost("INSERT INTO big VALUES (5, '2025-01-01', false, repeat('x', 100000))", [
      'big:6:2025-01-01:false:100000',
      'big:7:2025-01-01:false:100000',
    ]),
  ).toEqual(['big:6:2025-01-01:false:100000']);
  expect(
    await lost('UPDATE big SET id = 6 WHERE id = 5', [
      'big:6:2025-01-01:false:100000',
      'big:7:2025-01-01:false:100000',
      'other',
    ]),
  ).toEqual(['big:6:2025-01-01:false:100000', 'big:7:2025-01-01:false:100000']);
  expect(stage.events).toEqual([]);
});

it('tells of partitions as of their table', async () => {
  expect(await lost('INSERT INTO sales.parts VALUES (1, 7, 1999)', ['part:1', 'porg:7', 'porg:8'])).toEqual([
    'part:1',
    'porg:7',
  ]);
  expect(await lost('UPDATE sales.parts SET org_id = 8', ['porg:7', 'porg:8', 'porg:9'])).toEqual(['porg:7', 'porg:8']);
  expect(await lost('UPDATE sales.parts SET year = 2001, org_id = 9', ['porg:8', 'porg:9', 'porg:7'])).toEqual([
    'porg:8',
    'porg:9',
  ]);
});

it('does not take an empty value of a partition that logs less for the truth', async () => {
  await stage.pool.query('CREATE TABLE sales.parts_3 PARTITION OF sales.parts FOR VALUES FROM (3000) TO (4000)');
  await stage.pool.query('ALTER TABLE sales.parts_3 ADD PRIMARY KEY (id)');
  expect(await lost('INSERT INTO sales.parts VALUES (5, 5, 3001)', ['porg:5', 'other'])).toEqual(['porg:5']);
  expect(await lost('DELETE FROM sales.parts WHERE year = 3001', ['porg:5', 'other'])).toEqual(['porg:5', 'other']);
});

it('tells of a table that is emptied', async () => {
  expect(await lost('TRUNCATE plain', ['plain', 'plain:3', 'org:1'])).toEqual(['plain']);
  expect(await lost('TRUNCATE "full", unmapped', ['org:1', 'other'])).toEqual(['org:1', 'other']);
});

it('says a transaction of very many rows in one word', async () => {
  expect(
    await lost('INSERT INTO many SELECT generate_series(1, 99)', ['many:1', 'many:99', 'many', 'many:100']),
  ).toEqual(['many:1', 'many:99']);
  expect(await lost('INSERT INTO many SELECT generate_series(100, 300)', ['many', 'many:1', 'other'])).toEqual([
    'many',
  ]);
});

it('does not tell of what is rolled back, and of what is not mapped', async () => {
  const client = await stage.pool.connect();
  const written = async (): Promise<void> => {
    await client.query('BEGIN');
    await client.query("INSERT INTO plain VALUES (77, '')");
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await client.query('SAVEPOINT s');
    await client.query("INSERT INTO plain VALUES (77, '')");
    await client.query('ROLLBACK TO s');
    await client.query('INSERT INTO many VALUES (1000)');
    await client.query('COMMIT');
    await client.query('INSERT INTO unmapped VALUES (1)');
    await client.query("INSERT INTO plain VALUES (78, '')");
  };
  expect(await lost(written, ['plain:78', 'many:1000', 'plain:77'])).toEqual(['plain:78', 'many:1000']);
  client.release();
});

it('counts as everything what a mapping fails at, and goes on', async () => {
  expect(await lost('INSERT INTO wrong VALUES (13)', ['other', 'plain:1'])).toEqual(['other', 'plain:1']);
  expect(await lost('INSERT INTO wrong VALUES (14)', ['wrong:14', 'other'])).toEqual(['wrong:14']);
  expect(stage.events.filter(({ type }) => type === 'unknowable-change')).toMatchObject([
    { table: 'public.wrong', error: { message: 'thirteen' } },
  ]);
});

it('counts as everything each change of a table that tells less than its mapping needs, until it is mended', async () => {
  await stage.pool.query('ALTER TABLE "full" ADD PRIMARY KEY (id)').catch(() => {});
  await stage.pool.query('ALTER TABLE "full" REPLICA IDENTITY DEFAULT');
  expect(await lost('INSERT INTO "full" VALUES (50, 1, \'\')', ['other'])).toEqual(['other']);
  expect(
    await lost('ALTER TABLE "full" REPLICA IDENTITY FULL; UPDATE "full" SET org_id = 2', ['org:1', 'org:2', 'other']),
  ).toEqual(['org:1', 'org:2']);
  await stage.pool.query('ALTER TABLE "full" RENAME org_id TO owner');
  expect(await lost('UPDATE "full" SET owner = 3', ['other'])).toEqual(['other']);
  expect(
    await lost('ALTER TABLE "full" RENAME owner TO org_id; UPDATE "full" SET org_id = 4', ['org:3', 'org:4', 'other']),
  ).toEqual(['org:3', 'org:4']);
  const told = stage.events.flatMap((it) => (it.type === 'unknowable-change' ? [String(it.error)] : []));
  expect(told).toEqual([
    'Unknowable: the log does not have org_id of old rows',
    'Unknowable: the log has no column org_id',
  ]);
});

it('takes the messages of transactions, whoever appends them first', async () => {
  const { direct } = stage.status(relay);
  const { transaction } = createTransactions(stage.cache, { carrier: 'wal' });
  await stage.keep('m:1', 'm:2', 'other');
  await transaction(stage.pool, (tx) => tx.invalidate(tag('m:1')));
  expect(stage.holds('m:1', 'm:2')).toEqual([false, true]);
  await waitUntil(() => stage.status(relay).direct === direct + 1, { what: 'a message that its writer has appended' });
  const { records } = stage.status(relay);

  const draft = { ...coverageOf([tag('m:2')]), id: randomBytes(16).toString('hex'), origin: 'gone', time: 0 };
  await stage.pool.query("SELECT pg_logical_emit_message(true, 'tidemark', $1::bytea)", [
    Buffer.from(encodeDraft({ ...draft, lsn: 'unknown', targets: ['tag m:2'] })),
  ]);
  await stage.gone('m:2');
  expect(stage.holds('other')).toEqual([true]);
  expect(stage.status(relay)).toMatchObject({ direct: direct + 1, records: records + 1 });
});

it('does not say again what a transaction has said itself', async () => {
  const { transaction } = createTransactions(stage.cache, { carrier: 'wal' });
  const before = stage.status(relay);
  await transaction(stage.pool, async (tx) => {
    await tx.query("INSERT INTO plain VALUES (500, '')");
    tx.invalidate(tag('plain:500'), tag('list'));
  });
  await waitUntil(() => stage.status(relay).direct === before.direct + 1);
  expect(stage.status(relay).records).toBe(before.records);
  await stage.keep('plain:501');
  await transaction(stage.pool, async (tx) => {
    await tx.query("INSERT INTO plain VALUES (501, '')");
    tx.invalidate(tag('list'));
  });
  await stage.gone('plain:501');
});

it('counts as everything a message that nobody can read', async () => {
  for (const transactional of [true, false]) {
    await stage.keep('other');
    await stage.pool.query("SELECT pg_logical_emit_message($1, 'tidemark', 'nonsense')", [transactional]);
    // A message outside a transaction is sent with what is written next.
    await stage.pool.query('INSERT INTO unmapped VALUES ($1)', [transactional ? 2 : 3]);
    await stage.gone('other');
  }
  expect(stage.events.filter(({ type }) => type === 'unknowable-change')).toHaveLength(1);
  expect(await lost("SELECT pg_logical_emit_message(true, 'somebody else', 'x')", ['other'])).toEqual([]);
});
