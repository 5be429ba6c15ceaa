import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { createCache } from '../cache/cache.ts';
import { memoryReports } from '../cache/memory-reports.ts';
import { systemClock } from '../cache/system-clock.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import { coverageOf, type Draft } from '../coherence/record.ts';
import { everything, key, tag } from '../coherence/target.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { parseLsn } from './lsn.ts';
import { migrate } from './migrations.ts';
import { createRelay, type Relay } from './relay.ts';
import type { RelayEvent } from './relay-event.ts';
import { createTransactions } from './transactions.ts';

let server: PostgresServer;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startPostgres();
  pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => {});
  await migrate(pool);
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});

let log: ReturnType<typeof memoryLog>;
let cache: ReturnType<typeof createCache>;
let relay: Relay;
let events: RelayEvent[];
const begin = (options: object = {}): Relay => {
  relay = createRelay({ name: 'shop', log, database: server.url, ...options });
  events = [];
  relay.on((event) => events.push(event));
  relay.start();
  return relay;
};
beforeEach(async () => {
  log = memoryLog();
  cache = createCache({ name: 'shop', log });
  await pool.query('TRUNCATE tidemark.outbox, tidemark.relay');
});
afterEach(async () => {
  await relay.stop();
  await cache.close();
});

const rows = async (): Promise<number> => (await pool.query('SELECT FROM tidemark.outbox')).rowCount ?? 0;
// The relay counts a row when it hears that it is deleted: a moment after everybody can see that.
const empty = (): Promise<unknown> =>
  waitUntil(async () => (await rows()) === 0 && relay.status().outbox?.waiting === 0, { what: 'an empty outbox' });

let made = 0;
const draft = (over: Partial<Draft> = {}): Draft => ({
  ...coverageOf([key('user', 1)]),
  id: (++made).toString(16).padStart(32, 'a'),
  origin: 'test',
  time: 0,
  lsn: 'unknown',
  ...over,
});
const write = (message: Uint8Array, client: pg.Pool | pg.PoolClient = pool): Promise<unknown> =>
  client.query('INSERT INTO tidemark.outbox (message) VALUES ($1)', [Buffer.from(message)]);
const cached = async (): Promise<() => Promise<boolean>> => {
  await cache.getOrSet(['user', 1], () => 'old', { tags: ['t'] });
  return async () => (await cache.getOrSet(['user', 1], () => 'new', { tags: ['t'] })) === 'old';
};

it('finishes what a writer that has died left behind', async () => {
  const isOld = await cached();
  await write(encodeDraft(draft()));
  begin();
  await empty();
  expect(await isOld()).toBe(false);
  expect(relay.status()).toMatchObject({ state: 'active', outbox: { appended: 1, direct: 0, waiting: 0 } });
  expect(events.map(({ type }) => type)).toEqual(['active', 'appended']);
});

it('only deletes what its writer has appended', async () => {
  begin({ outbox: { grace: '500ms' } });
  const { transaction } = createTransactions(cache);
  for (let i = 0; i < 5; i++) await transaction(pool, (tx) => tx.invalidate(tag('t')));
  await empty();
  expect(relay.status()).toMatchObject({ outbox: { appended: 0, direct: 5 }, log: { duplicates: 0 } });
});

it('knows what was appended before it was there', async () => {
  const { transaction } = createTransactions(cache);
  for (let i = 0; i < 5; i++) await transaction(pool, (tx) => tx.invalidate(tag('t')));
  expect(await rows()).toBe(5);
  begin();
  await empty();
  expect(relay.status()).toMatchObject({ outbox: { appended: 0, direct: 5 }, log: { duplicates: 0 } });
});

it('appends nothing before it knows what the log has', async () => {
  const { transaction } = createTransactions(cache);
  for (let i = 0; i < 5; i++) await transaction(pool, (tx) => tx.invalidate(tag('t')));
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow = (context: PartContext): InvalidationLog => {
    const inner = log(context);
    return {
      append: (drafts) => inner.append(drafts),
      read: (after, options) => gate.then(() => inner.read(after, options)),
      snapshot: () => inner.snapshot(),
      close: () => inner.close(),
    };
  };
  begin({ log: slow });
  await waitUntil(
    async () => (await pool.query("SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")).rowCount === 1,
  );
  open();
  await empty();
  expect(relay.status().outbox).toMatchObject({ appended: 0, direct: 5 });
});

it('does not skip a slow transaction whose id is lower', async () => {
  begin();
  const slow = await pool.connect();
  await slow.query('BEGIN');
  await write(encodeDraft(draft()), slow);
  await write(encodeDraft(draft()));
  await empty();
  const isOld = await cached();
  await slow.query('COMMIT');
  slow.release();
  await empty();
  expect(relay.status().outbox).toMatchObject({ appended: 2 });
  expect(await isOld()).toBe(false);
});

it.each([
  ['bytes', Buffer.from('garbage')],
  ['nothing', Buffer.alloc(0)],
  ['a later format', Buffer.from(encodeDraft(draft())).fill(9, 0, 1)],
  ['a record that only a log makes', encodeDraft(draft({ kind: 'floor', floor: 2 ** 50 }))],
])('invalidates everything in place of %s', async (_, bytes) => {
  const isOld = await cached();
  await write(bytes);
  await write(encodeDraft(draft({ ...coverageOf([tag('other')]) })));
  begin();
  await empty();
  expect(await isOld()).toBe(false);
  expect(relay.status().outbox).toMatchObject({ undecodable: 1, appended: 2 });
  expect(events).toContainEqual(expect.objectContaining({ type: 'undecodable', error: expect.any(Error) }));
});

it('reads the bound after the row was visible, and says what had been applied by then', async () => {
  begin({ replicas: true });
  await cache.invalidate(tag('x'));
  const { rows: found } = await pool.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await write(encodeDraft(draft()));
  await empty();
  const before = parseLsn(found[0]?.lsn);
  const lsn = await cache.getOrSet(['bound'], (ctx) => ctx.lsn);
  expect(lsn).toBeGreaterThan(before);
});

it('refuses to serve an outbox of another log', async () => {
  begin();
  await waitUntil(async () => (await pool.query('SELECT FROM tidemark.relay')).rowCount === 1);
  await relay.stop();
  await write(encodeDraft(draft()));
  begin({ name: 'crm' });
  await waitUntil(() => events.some(({ type }) => type === 'failed'));
  expect(events.at(-1)).toMatchObject({
    part: 'outbox',
    error: { message: expect.stringMatching(/belongs to the log "shop"/) },
  });
  expect(await rows()).toBe(1);
});

it('says what to run where there is no outbox, and goes on when there is one', async () => {
  begin({ schema: 'later' });
  await waitUntil(() => events.some(({ type }) => type === 'failed'));
  expect(events.at(-1)).toMatchObject({
    error: { message: expect.stringMatching(/tidemark postgres migrate --schema later/) },
  });
  await migrate(pool, 'later');
  await pool.query('INSERT INTO later.outbox (message) VALUES ($1)', [
    Buffer.from(encodeDraft(draft({ ...coverageOf([everything()]) }))),
  ]);
  await waitUntil(() => relay.status().outbox?.appended === 1);
});

it('takes more than it looks at at once, also where messages are large', async () => {
  const labels = Array.from({ length: 120_000 }, () => ({ high: 1, low: 2 }));
  for (let i = 0; i < 12; i++) await write(encodeDraft(draft({ labels })));
  const { rows: sent } = await pool.query<{ n: number }>(
    "INSERT INTO tidemark.outbox (message) SELECT decode(replace(encode($1::bytea, 'hex'), repeat('b', 32), lpad(to_hex(i), 32, 'c')), 'hex') FROM generate_series(1, 1200) AS i RETURNING 1 AS n",
    [Buffer.from(encodeDraft(draft({ id: 'b'.repeat(32) })))],
  );
  begin({ outbox: { poll: '1h' } });
  await empty();
  expect(relay.status().outbox).toMatchObject({ appended: 12 + sent.length, undecodable: 0 });
});

it('works within PGlite', async () => {
  const db = await PGlite.create();
  await migrate(db);
  begin({ database: db });
  const { transaction } = createTransactions(cache);
  await transaction(db as never, (tx: { invalidate(...t: unknown[]): void }) => tx.invalidate(tag('t')));
  await db.query('INSERT INTO tidemark.outbox (message) VALUES ($1)', [encodeDraft(draft())]);
  await waitUntil(async () => (await db.query('SELECT FROM tidemark.outbox')).rows.length === 0);
  await waitUntil(() => relay.status().outbox?.waiting === 0);
  expect(relay.status().outbox).toMatchObject({ appended: 1, direct: 1 });
  await relay.stop();
  await db.close();
}, 120_000);

it('says among the reports of the fleet how it is, and takes that back at its end', async () => {
  const part = memoryReports();
  const reports = part({ clock: systemClock });
  const said = async (): Promise<Record<string, unknown>[]> =>
    (await reports.list()).map(({ report }) => JSON.parse(report) as Record<string, unknown>);
  begin({ reports: part });
  await waitUntil(async () => (await said()).length === 1);
  const [{ node } = { node: '' }] = await reports.list();
  expect(node).toMatch(/^relay#[0-9a-f]{8}$/);
  expect((await said())[0]).toMatchObject({ v: 1, kind: 'relay', lagMs: null, waiting: 0, problem: null });
  await relay.stop();
  expect(await said()).toEqual([]);
});

it('says how far it is behind once it works, and that another stands by', async () => {
  const shared = memoryReports()({ clock: systemClock });
  begin({ reports: shared });
  await waitUntil(() => relay.status().state === 'active');
  const other = createRelay({ name: 'shop', log, database: server.url, reports: shared });
  other.start();
  try {
    const states = async (): Promise<string[]> =>
      (await shared.list()).map(({ report }) => (JSON.parse(report) as { state: string }).state);
    await waitUntil(async () => (await states()).sort().join() === 'active,standby', { timeout: 10_000 });
    const active = (await shared.list()).map(({ report }) => JSON.parse(report) as Record<string, unknown>);
    expect(active.find(({ state }) => state === 'active')).toMatchObject({ reachable: true, lagMs: 0, waiting: 0 });
  } finally {
    await other.stop();
  }
}, 20_000);
