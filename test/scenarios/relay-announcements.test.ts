import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Cache, key } from '../../src/index.ts';
import { announcementId, DATABASE_IDENTITY, databaseMark } from '../../src/postgres/announcement-id.ts';
import { createTransactions, type Relay } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { RelayStage } from './relay-stage.ts';

let stage: RelayStage;
beforeAll(async () => {
  stage = await RelayStage.set(['max_prepared_transactions=4']);
  await stage.pool.query('CREATE TABLE item (id int PRIMARY KEY, value int)');
}, 60_000);
afterEach(() => stage.clear());
afterAll(() => stage.strike());

let ids = 0;

/** A strict write of an item, announced; its transaction is open, and its writer will not be heard of any more. */
class Announcing {
  readonly item: number = ++ids;
  readonly client: pg.Client;
  id = '';
  pid = 0;

  constructor() {
    this.client = new pg.Client(stage.postgres.url);
    this.client.on('error', () => {});
  }

  async begin(cache: Cache): Promise<this> {
    await this.client.connect();
    await this.client.query('BEGIN');
    await this.client.query('INSERT INTO item VALUES ($1, 1)', [this.item]);
    const { rows } = await this.client.query<{ xid: string; identity: string; pid: number }>(
      `SELECT pg_current_xact_id()::text AS xid, ${DATABASE_IDENTITY} AS identity, pg_backend_pid() AS pid`,
    );
    const [row] = rows as [{ xid: string; identity: string; pid: number }];
    this.pid = row.pid;
    const transaction = { xid: BigInt(row.xid), database: databaseMark(row.identity) };
    this.id = announcementId(transaction, randomBytes(4).toString('hex'));
    const write = await cache.announce([key('item', this.item)], { id: this.id });
    // So does one that has died: nobody else announces it again, or closes it.
    write.unknown();
    return this;
  }
}

async function set(): Promise<{ relay: Relay; cache: Cache; write: Announcing }> {
  const cache = stage.cache({ strict: true });
  const relay = stage.relay();
  await Promise.all([cache.ready(), stage.active(relay)]);
  const write = await new Announcing().begin(cache);
  await waitUntil(() => relay.status().announcements.open === 1, { what: 'the relay to know of it' });
  return { relay, cache, write };
}

const closed = (id: string): Promise<unknown> =>
  waitUntil(() => stage.events.find((it) => it.type === 'closed-announcement' && it.id === id), { what: 'the close' });

/** Long enough for a relay to have closed it three times over. */
async function staysOpen(relay: Relay): Promise<void> {
  const from = performance.now();
  await waitUntil(() => performance.now() - from > 500);
  expect(relay.status().announcements).toEqual({ open: 1, closed: 0 });
}

it('stays open while the transaction is, and is closed when it has committed', async () => {
  const { relay, write, cache } = await set();
  await staysOpen(relay);
  await write.client.query('COMMIT');
  expect(await closed(write.id)).toMatchObject({ outcome: 'committed' });
  await waitUntil(() => relay.status().announcements.open === 0);
  await cache.getOrSet(['item', write.item], () => 'new');
  await write.client.end();
});

it('is closed when the transaction was rolled back', async () => {
  const { write } = await set();
  await write.client.query('ROLLBACK');
  expect(await closed(write.id)).toMatchObject({ outcome: 'aborted' });
  await write.client.end();
});

it('is closed when its connection was killed', async () => {
  const { write } = await set();
  await stage.pool.query('SELECT pg_terminate_backend($1)', [write.pid]);
  expect(await closed(write.id)).toMatchObject({ outcome: 'aborted' });
});

it('stays open while the transaction is prepared', async () => {
  const { relay, write } = await set();
  await write.client.query("PREPARE TRANSACTION 'later'");
  await write.client.end();
  await staysOpen(relay);
  await stage.pool.query("COMMIT PREPARED 'later'");
  expect(await closed(write.id)).toMatchObject({ outcome: 'committed' });
});

/** Until the returned function is called, whoever commits waits for a replica that is not there. */
async function heldUp(): Promise<() => Promise<void>> {
  await stage.pool.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  await stage.pool.query('SELECT pg_reload_conf()');
  const probes: Promise<unknown>[] = [];
  const waits = async (): Promise<boolean> => {
    probes.push(stage.pool.query("SELECT pg_logical_emit_message(true, 'probe', '')"));
    const { rowCount } = await stage.pool.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    return rowCount !== 0;
  };
  await waitUntil(waits, { every: 100, what: 'a commit to wait' });
  return async () => {
    await stage.pool.query('ALTER SYSTEM RESET synchronous_standby_names');
    await stage.pool.query('SELECT pg_reload_conf()');
    await Promise.all(probes);
  };
}

it('stays open while a commit waits for a replica, although its status is written: nobody sees it yet', async () => {
  const { relay, write } = await set();
  const release = await heldUp();
  const commit = write.client.query('COMMIT');
  try {
    await staysOpen(relay);
  } finally {
    await release();
  }
  await commit;
  expect(await closed(write.id)).toMatchObject({ outcome: 'committed' });
  await write.client.end();
});

it('is closed after a crash of the database', async () => {
  const { relay, write } = await set();
  await stage.postgres.kill();
  await waitUntil(() => relay.status().state === 'standby');
  await stage.postgres.restart();
  // Its id may be given out once more, so what is said of it is not what became of the write.
  expect(await closed(write.id)).toMatchObject({ id: write.id });
  expect(relay.status().state).toBe('active');
});

it('is left alone if it belongs to another database, or to none', async () => {
  const cache = stage.cache({ strict: true });
  const relay = stage.relay();
  await Promise.all([cache.ready(), stage.active(relay)]);
  const foreign = await cache.announce([key('item', 0)], {
    id: announcementId({ xid: 3n, database: 'ffffffff' }, '00000001'),
  });
  await waitUntil(() => relay.status().announcements.open === 1);
  await staysOpen(relay);
  await foreign.rolledBack();
  await waitUntil(() => relay.status().announcements.open === 0);
  expect(stage.count('closed-announcement')).toBe(0);
});

it('leaves a live writer the time to close its own', async () => {
  const cache = stage.cache({ strict: true });
  const relay = stage.relay({ outbox: { grace: '2s' } });
  await Promise.all([cache.ready(), stage.active(relay)]);
  const { transaction } = createTransactions(cache);
  for (let i = 0; i < 5; i++) await transaction(stage.pool, (tx) => tx.invalidate(key('item', 0)), { strict: true });
  await waitUntil(() => relay.status().announcements.open === 0);
  await stage.emptied();
  await waitUntil(() => relay.status().outbox?.direct === 5);
  expect(relay.status().announcements.closed).toBe(0);
});

it('ends a doubt about replicas, where nobody writes', async () => {
  const cache = stage.cache();
  await cache.ready();
  await cache.invalidate([key('item', 0)], { lsn: 'unknown' });
  const bound = (): Promise<unknown> => cache.getOrSet(['bound'], (ctx) => (ctx.skip(), ctx.lsn));
  expect(await bound()).toBe('unknown');
  stage.relay({ replicas: true });
  await waitUntil(async () => typeof (await bound()) === 'bigint');
  expect(stage.count('bound')).toBe(1);
});
