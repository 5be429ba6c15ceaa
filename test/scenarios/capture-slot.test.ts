import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type CaptureOptions, capture, type Relay, setupCapture } from '../../src/postgres/index.ts';
import type { Database, Session } from '../../src/postgres/driver.ts';
import type { SourceMaker } from '../../src/postgres/source.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type Stage, setStage, users } from './capture-stage.ts';

// What becomes of changes that the slot was not there for: everything is invalidated, and it is said.

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
  await stage.pool.query('ALTER TABLE users REPLICA IDENTITY FULL');
}, 60_000);
afterAll(() => stage.end());
beforeEach(() => {
  stage.events.length = 0;
});
afterEach(async () => {
  await stage.stopRelays();
  await stage.pool.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
  await stage.pool.query('DROP PUBLICATION IF EXISTS tidemark');
  await stage.pool.query('TRUNCATE tidemark.capture, users');
  await stage.pool.query('DROP TABLE IF EXISTS filler');
});

const setup = (options: { recreate?: boolean } = {}): Promise<readonly string[]> =>
  setupCapture(stage.server.url, { capture: capture({ tables: users }), ...options });

const told = (type: string): unknown[] => stage.events.filter((it) => it.type === type);

async function running(options: CaptureOptions = {}): Promise<Relay> {
  const relay = stage.relay({ tables: users, ...options });
  await stage.streaming(relay);
  return relay;
}

/** A relay that has captured, and was stopped. */
async function stopped(): Promise<void> {
  await setup();
  await running();
  await captures();
  await stage.stopRelays();
  stage.events.length = 0;
}

let ids = 0;
async function captures(): Promise<void> {
  const id = ++ids;
  await stage.keep(`user:${id}`, 'control');
  await stage.pool.query('INSERT INTO users VALUES ($1, 1)', [id]);
  await stage.gone(`user:${id}`);
  expect(stage.holds('control')).toEqual([true]);
}

it('invalidates everything once when it reads a slot for the first time, and not when it goes on', async () => {
  await stage.keep('other');
  const lines = await setup();
  expect(lines.map((line) => line.split(':')[0])).toEqual([
    'made the publication tidemark',
    'made the slot tidemark',
    'recommended',
  ]);
  await running();
  await stage.gone('other');
  expect(told('slot-gap')).toMatchObject([{ reason: expect.stringMatching(/^the slot was made, 20/), exists: true }]);
  expect(told('slot-mended')).toHaveLength(1);
  await captures();
  await stage.stopRelays();
  stage.events.length = 0;
  await stage.keep('other');
  await running();
  await captures();
  expect(stage.holds('other')).toEqual([true]);
  expect(told('slot-gap')).toEqual([]);
  expect((await setup())[0]).toBe('the slot tidemark is there');
});

it('a slot that was dropped is made anew only on request, and everything is invalidated before and after', async () => {
  await stopped();
  await stage.pool.query("SELECT pg_drop_replication_slot('tidemark')");
  await stage.keep('other');
  const relay = stage.relay();
  await stage.gone('other');
  await waitUntil(() => stage.status(relay).state === 'gap');
  expect(told('slot-gap')).toMatchObject([{ reason: 'the slot was dropped', exists: false }]);
  expect(stage.status(relay).problem).toMatch(
    /^Nothing is captured: the slot was dropped, .* Run "tidemark postgres setup --recreate"\.$/,
  );

  await stage.keep('lost');
  await stage.pool.query('INSERT INTO users VALUES (0, 1)');
  await expect(setup()).rejects.toThrow(
    /of no use any more: the slot was dropped. Run "tidemark postgres setup --recreate"/,
  );
  expect(stage.holds('lost')).toEqual([true]);
  await setup({ recreate: true });
  await stage.gone('lost');
  await stage.streaming(relay);
  await captures();
  expect(told('slot-gap')).toHaveLength(2);
  expect(told('slot-mended')).toHaveLength(1);
});

it('makes it anew by itself where it is told to', async () => {
  await stopped();
  await stage.pool.query("SELECT pg_drop_replication_slot('tidemark')");
  await stage.keep('other');
  await running({ recreate: 'automatic' });
  expect(stage.holds('other')).toEqual([false]);
  await captures();
});

it('notices a slot that somebody else has made in its place, or moved', async () => {
  await stopped();
  await stage.pool.query("SELECT pg_drop_replication_slot('tidemark')");
  await stage.pool.query('INSERT INTO users VALUES (0, 1)');
  await stage.pool.query("SELECT pg_create_logical_replication_slot('tidemark', 'pgoutput')");
  await stage.keep('other');
  await running();
  await stage.gone('other');
  await captures();
  await stage.stopRelays();

  await stage.pool.query('INSERT INTO users VALUES (-1, 1)');
  await stage.pool.query("SELECT pg_replication_slot_advance('tidemark', pg_current_wal_lsn())");
  await stage.keep('other');
  await running();
  await stage.gone('other');
  await captures();
  const reason = 'the slot was moved, or made anew, by somebody else';
  expect(told('slot-gap')).toMatchObject([
    { reason, exists: true },
    { reason, exists: true },
  ]);
});

/** Capture over a database that is meddled with. */
function meddled(options: CaptureOptions, meddle: (database: Database) => Partial<Database>): object {
  const make = capture({ tables: users, ...options });
  const made: SourceMaker = (parts) => make({ ...parts, database: { ...parts.database, ...meddle(parts.database) } });
  return { capture: Object.assign(made, { options: make.options }) };
}

/** Does something before the first time that a slot is read. */
function beforeReading({ replicate }: Database, act: () => Promise<unknown>): Pick<Database, 'replicate'> {
  let first = true;
  return {
    replicate: async (...about) => {
      if (first) await act();
      first = false;
      return (replicate as NonNullable<typeof replicate>)(...about);
    },
  };
}

// A slot that is read counts as where it was found once something was acknowledged: then nobody can tell any more.
it('notices a slot that is moved when it was judged, and is not read yet', async () => {
  await stopped();
  await stage.keep('user:0');
  let skipped = '';
  const skip = async (): Promise<void> => {
    await stage.pool.query('INSERT INTO users VALUES (0, 1)');
    const { rows } = await stage.pool.query<{ lsn: string }>(
      "SELECT end_lsn::text AS lsn FROM pg_replication_slot_advance('tidemark', pg_current_wal_lsn())",
    );
    skipped = rows[0]?.lsn ?? '';
  };
  const relay = stage.relay(
    undefined,
    meddled({}, (database) => beforeReading(database, skip)),
  );
  await stage.streaming(relay);
  await captures();
  const acknowledged = async (): Promise<boolean> => {
    const passed = 'SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn > $1';
    return (await stage.pool.query(passed, [skipped])).rowCount === 1;
  };
  await waitUntil(acknowledged, { what: 'an acknowledgement', timeout: 10_000 });
  await stage.gone('user:0');
  expect(told('slot-gap')).toMatchObject([{ reason: 'the slot was moved, or made anew, by somebody else' }]);
}, 40_000);

it('judges a slot that somebody makes in the place of the one that it has just made', async () => {
  await stopped();
  await stage.pool.query("SELECT pg_drop_replication_slot('tidemark')");
  let taken = false;
  const takeAway = (session: Session): Session => ({
    listen: (channel, listener) => session.listen(channel, listener),
    onEnded: (listener) => session.onEnded(listener),
    end: () => session.end(),
    query: async (text, values) => {
      const rows = await session.query(text, values);
      if (!taken && text.includes('pg_create_logical_replication_slot')) {
        taken = true;
        await stage.pool.query("SELECT pg_drop_replication_slot('tidemark')");
      }
      return rows;
    },
  });
  const change = async (): Promise<void> => {
    await stage.keep('user:0');
    await stage.pool.query('INSERT INTO users VALUES (0, 1)');
    await stage.pool.query(
      "SELECT pg_create_logical_replication_slot('tidemark', 'pgoutput') WHERE NOT EXISTS (SELECT FROM pg_replication_slots)",
    );
  };
  const relay = stage.relay(
    undefined,
    meddled({ recreate: 'automatic' }, (database) => ({
      ...beforeReading(database, change),
      session: async () => takeAway(await database.session()),
    })),
  );
  await stage.streaming(relay);
  await stage.gone('user:0');
  expect(taken).toBe(true);
  await captures();
}, 30_000);

it('notices a slot that the server has invalidated', async () => {
  await stopped();
  const limit = async (size: string): Promise<void> => {
    await stage.pool.query(`ALTER SYSTEM SET max_slot_wal_keep_size = ${size}`);
    await stage.pool.query('SELECT pg_reload_conf()');
  };
  await limit("'1MB'");
  const lost = async (): Promise<boolean> => {
    await stage.pool.query('SELECT pg_switch_wal()');
    await stage.pool.query('CREATE TABLE IF NOT EXISTS filler (t text)');
    await stage.pool.query("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
    await stage.pool.query('CHECKPOINT');
    const { rows } = await stage.pool.query<{ wal_status: string }>('SELECT wal_status FROM pg_replication_slots');
    return rows[0]?.wal_status === 'lost';
  };
  await waitUntil(lost, { what: 'a lost slot', timeout: 20_000 });
  await limit('-1');
  await stage.keep('other');
  const relay = stage.relay();
  await stage.gone('other');
  await waitUntil(() => stage.status(relay).state === 'gap');
  expect(told('slot-gap')).toMatchObject([{ reason: 'the slot was invalidated (wal_removed)', exists: false }]);
  await setup({ recreate: true });
  await stage.streaming(relay);
  await captures();
}, 40_000);

it('notices that something was not published for a while', async () => {
  await stopped();
  const relay = await running();
  await stage.pool.query('ALTER PUBLICATION tidemark DROP TABLE users');
  await stage.pool.query('INSERT INTO users VALUES (0, 1)');
  await stage.keep('other');
  const text = /public.users is not in the publication: ALTER PUBLICATION "tidemark" ADD TABLE/;
  await waitUntil(() => text.test(stage.status(relay).problem ?? ''), { what: 'a refusal', timeout: 10_000 });
  await stage.gone('other');
  await stage.keep('other');
  expect(await setup()).toContain('public.users was added to the publication tidemark');
  await stage.streaming(relay);
  await stage.gone('other');
  await captures();
}, 40_000);

it('drops a slot that keeps too much of the log, rather than fill the disk', async () => {
  await setup();
  const relay = await running({ maxRetained: '1mb' });
  const client = await stage.pool.connect();
  await client.query('BEGIN');
  await client.query('INSERT INTO users VALUES (0, 1)');
  await stage.pool.query("CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
  await stage.keep('other');
  await waitUntil(() => told('slot-dropped').length > 0, { what: 'a dropped slot', timeout: 20_000 });
  await stage.gone('other');
  expect((await stage.pool.query('SELECT FROM pg_replication_slots')).rowCount).toBe(0);
  await waitUntil(() => stage.status(relay).state === 'gap');
  expect(stage.status(relay).problem).toMatch(/more than maxRetained \(1048576\), and was dropped/);
  await client.query('COMMIT');
  client.release();
  await setup({ recreate: true });
  await stage.streaming(relay);
  await captures();
}, 60_000);
