import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/cache/system-clock.ts';
import { capture, type Relay, setupCapture } from '../../src/postgres/index.ts';
import { formatLsn } from '../../src/postgres/lsn.ts';
import { pgoutputStreams } from '../../src/postgres/pgoutput-stream.ts';
import type { WalMessage } from '../../src/postgres/wal-message.ts';
import type { OpenWalStream } from '../../src/postgres/wal-stream.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type Stage, setStage, users } from './capture-stage.ts';

// Things that break while changes are captured: nothing may be lost, nothing told too early.

let stage: Stage;
let relay: Relay;
beforeAll(async () => {
  stage = await setStage();
  await stage.pool.query('ALTER TABLE users REPLICA IDENTITY FULL');
  await setupCapture(stage.server.url, { capture: capture({ tables: users }) });
}, 60_000);
afterAll(() => stage.end());
beforeEach(async () => {
  await stage.stopRelays();
  relay = stage.relay();
  await stage.streaming(relay);
  stage.events.length = 0;
});

let ids = 0;
const openStream: OpenWalStream = (...how) =>
  pgoutputStreams({ connectionString: stage.server.url }, systemClock)(...how);
const insert = (id: number): Promise<unknown> => stage.pool.query('INSERT INTO users VALUES ($1, $1)', [id]);
const told = (type: string): unknown[] => stage.events.filter((it) => it.type === type);
/** Whether the server may forget what was committed before a position. */
const acknowledged = async (lsn: string): Promise<boolean> =>
  (await stage.pool.query('SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn > $1::pg_lsn', [lsn]))
    .rowCount === 1;
const lsnNow = async (): Promise<string> =>
  (await stage.pool.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')).rows[0]?.lsn ?? '';

/** Commits wait for a replica that is not there, or no longer do. */
async function waitForNobody(waits: boolean): Promise<void> {
  await stage.pool.query(`ALTER SYSTEM SET synchronous_standby_names = '${waits ? 'nobody' : ''}'`);
  await stage.pool.query('SELECT pg_reload_conf()');
}

/** Inserts a row, which the cache has been keeping, with a commit that waits. */
async function insertWaiting(): Promise<{ id: number; name: string; released: Promise<unknown>; pid: number }> {
  // The server takes the setting over in its own time.
  await waitForNobody(true);
  for (;;) {
    const id = ++ids;
    const name = `user:${id}`;
    await stage.keep(name);
    const client = await stage.pool.connect();
    const { pid } = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0] as { pid: number };
    let done = false;
    const released = client.query('INSERT INTO users VALUES ($1, $1)', [id]).then(() => {
      done = true;
      client.release();
    });
    const isWaiting = async (): Promise<boolean> =>
      (await stage.pool.query("SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'", [pid]))
        .rowCount === 1;
    if (await waitUntil(async () => (await isWaiting()) || (done && 'done')))
      if (!done) return { id, name, released, pid };
  }
}

it('tells of a commit only once others see it, and of those that do meanwhile', async () => {
  const waiting = await insertWaiting();
  await waitUntil(() => stage.status(relay).invisible === 1, { what: 'a commit that is in the log and not visible' });
  const other = ++ids;
  await stage.keep(`user:${other}`);
  const client = await stage.pool.connect();
  await client.query("SET synchronous_commit = 'local'");
  await client.query('INSERT INTO users VALUES ($1, $1)', [other]);
  await stage.gone(`user:${other}`);
  // The old value could be loaded again: nobody sees the new one.
  expect((await client.query('SELECT FROM users WHERE id = $1', [waiting.id])).rowCount).toBe(0);
  expect(stage.holds(waiting.name)).toEqual([true]);

  const cancelled = await insertWaiting();
  await waitUntil(() => stage.status(relay).invisible === 2);
  expect(stage.holds(cancelled.name)).toEqual([true]);
  await client.query('SELECT pg_cancel_backend($1)', [cancelled.pid]);
  await cancelled.released;
  await stage.gone(cancelled.name);
  expect(stage.holds(waiting.name)).toEqual([true]);

  client.release(true);
  await waitForNobody(false);
  await waiting.released;
  await stage.gone(waiting.name);
  expect(told('slot-gap')).toEqual([]);
});

it('acknowledges nothing behind a commit that is not visible', async () => {
  const waiting = await insertWaiting();
  const after = await lsnNow();
  await waitUntil(() => stage.status(relay).invisible === 1);
  const other = `user:${++ids}`;
  await stage.keep(other);
  const client = await stage.pool.connect();
  await client.query("SET synchronous_commit = 'local'");
  await client.query('INSERT INTO users VALUES ($1, $1)', [ids]);
  await stage.gone(other);
  client.release(true);
  await waitUntil(() => (stage.status(relay).lagMs ?? 0) > 1_500, { what: 'some time without news' });
  expect(await acknowledged(after)).toBe(false);
  // A relay that dies now is followed by one that is sent both.
  await stage.stopRelays();
  await stage.keep(waiting.name, other);
  relay = stage.relay();
  await stage.gone(other);
  expect(stage.holds(waiting.name)).toEqual([true]);
  await waitForNobody(false);
  await waiting.released;
  await stage.gone(waiting.name);
});

it('writes down how far it is without waiting for replicas', async () => {
  const waiting = await insertWaiting();
  await stage.pool.query('SELECT pg_cancel_backend($1)', [waiting.pid]);
  await waiting.released;
  await stage.gone(waiting.name);
  const after = await lsnNow();
  const name = `user:${++ids}`;
  await stage.keep(name);
  const client = await stage.pool.connect();
  await client.query("SET synchronous_commit = 'local'");
  await client.query('INSERT INTO users VALUES ($1, $1)', [ids]);
  client.release(true);
  await stage.gone(name);
  await waitUntil(() => acknowledged(after), { what: 'an acknowledgement' });
  expect(stage.status(relay).state).toBe('streaming');
  await waitForNobody(false);
});

it('invalidates everything once more when all have ended that a gap may hide', async () => {
  await stage.stopRelays();
  const waiting = await insertWaiting();
  // Somebody moves the slot past it: it will never be told of.
  await stage.pool.query("SELECT pg_replication_slot_advance('tidemark', pg_current_wal_lsn())");
  await stage.keep('before');
  relay = stage.relay();
  await stage.gone('before');
  await waitUntil(() => stage.status(relay).state === 'streaming');
  await stage.keep(waiting.name);
  expect(stage.status(relay)).toMatchObject({ gap: expect.stringMatching(/moved/), lagMs: undefined });
  expect(told('slot-mended')).toEqual([]);
  await waitForNobody(false);
  await waiting.released;
  await stage.gone(waiting.name);
  await stage.streaming(relay);
  expect(told('slot-mended')).toHaveLength(1);
});

it('tells again what was not acknowledged when a relay ended, and loses nothing', async () => {
  const first = `user:${++ids}`;
  await stage.keep(first);
  await insert(ids);
  const after = await lsnNow();
  await stage.gone(first);
  await stage.stopRelays();
  expect(await acknowledged(after)).toBe(false);
  const between = `user:${++ids}`;
  await insert(ids);
  await stage.keep(first, between, 'other');
  relay = stage.relay();
  await stage.gone(first, between);
  expect(stage.holds('other')).toEqual([true]);
  await waitUntil(() => acknowledged(after), { what: 'an acknowledgement' });
});

it('outlives a crash of Postgres', async () => {
  const [before, after] = [++ids, ++ids];
  await stage.keep(`user:${before}`, `user:${after}`, 'other');
  await insert(before);
  await stage.server.kill();
  await stage.server.restart();
  await waitUntil(() => insert(after).then(() => true), { timeout: 10_000 });
  await stage.gone(`user:${before}`, `user:${after}`);
  await stage.streaming(relay);
  expect(stage.holds('other')).toEqual([true]);
  expect(told('slot-gap')).toEqual([]);
}, 40_000);

it('does not keep Postgres from shutting down', async () => {
  const id = ++ids;
  const began = performance.now();
  await stage.server.restart();
  expect(performance.now() - began).toBeLessThan(8_000);
  await stage.keep(`user:${id}`);
  await waitUntil(() => insert(id).then(() => true), { timeout: 10_000 });
  await stage.gone(`user:${id}`);
  await stage.streaming(relay);
  expect(told('slot-gap')).toEqual([]);
}, 40_000);

it('waits for Redis, and loses nothing', async () => {
  const [one, two] = [++ids, ++ids];
  await stage.keep(`user:${one}`, `user:${two}`);
  stage.redis.signal('SIGSTOP');
  await insert(one);
  const after = await lsnNow();
  await waitUntil(() => (stage.status(relay).lagMs ?? 0) > 2_500, { what: 'news that waits', timeout: 10_000 });
  expect(await acknowledged(after)).toBe(false);
  await insert(two);
  stage.redis.signal('SIGCONT');
  await waitUntil(() => (stage.status(relay).lagMs ?? 10_000) < 2_000, { what: 'the news', timeout: 15_000 });
  await stage.gone(`user:${one}`, `user:${two}`);
}, 40_000);

it('takes the slot from a reader of its own that hangs', async () => {
  await stage.stopRelays();
  let ended = false;
  const hanging = await openStream({ slot: 'tidemark', publication: 'tidemark', application: 'tidemark:shop' }, 0n, {
    message: () => {},
    reached: () => {},
    ended: () => {
      ended = true;
    },
  });
  relay = stage.relay();
  await stage.streaming(relay);
  expect(ended).toBe(true);
  await hanging.stop();
});

it('writes nothing down while nothing happens', async () => {
  const id = ++ids;
  await stage.keep(`user:${id}`);
  await insert(id);
  await stage.gone(`user:${id}`);
  const ask = async (): Promise<Record<string, string>> =>
    (
      await stage.pool.query(
        'SELECT c.updated_at::text AS kept, r.reply_time::text AS sign FROM tidemark.capture c, pg_stat_replication r',
      )
    ).rows[0] as Record<string, string>;
  // Once a second it gives a sign of life, and could write.
  let { kept, sign } = await ask();
  const unchanged = async (): Promise<boolean> => {
    const now = await ask();
    if (now['sign'] === sign) return false;
    const same = now['kept'] === kept;
    ({ kept, sign } = now);
    return same;
  };
  await waitUntil(unchanged);
  await waitUntil(unchanged);
  const quiet = kept;
  for (let signs = 0; signs < 3; signs++) {
    const before = sign;
    await waitUntil(async () => {
      ({ kept, sign } = await ask());
      return sign !== before;
    });
  }
  expect(kept).toBe(quiet);
});

it('is not told that a commit was acknowledged which begins where another one ends', async () => {
  await stage.stopRelays();
  const read = async (
    until: (messages: WalMessage[]) => boolean,
  ): Promise<[WalMessage[], (lsn: bigint) => Promise<void>]> => {
    const messages: WalMessage[] = [];
    const stream = await openStream({ slot: 'tidemark', publication: 'tidemark', application: 'test' }, 0n, {
      message: (it) => messages.push(it),
      reached: () => {},
      ended: () => {},
    });
    await waitUntil(() => until(messages), { what: 'messages' });
    const end = async (lsn: bigint): Promise<void> => {
      stream.acknowledge(lsn);
      if (lsn > 0n) await waitUntil(() => acknowledged(formatLsn(lsn - 1n)));
      await stream.stop();
    };
    return [messages, end];
  };
  const [a, b] = [await stage.pool.connect(), await stage.pool.connect()];
  for (const client of [a, b]) {
    await client.query('BEGIN');
    await client.query('INSERT INTO users VALUES ($1, 1)', [++ids]);
  }
  await a.query('COMMIT');
  await b.query('COMMIT');
  a.release();
  b.release();
  const commits = (messages: WalMessage[]): number => messages.filter(({ tag }) => tag === 'commit').length;
  const inserted = (messages: WalMessage[]): unknown[] =>
    messages.flatMap((it) => (it.tag === 'insert' ? [it.new['id']] : []));
  const [messages, end] = await read((it) => commits(it) > 0 && inserted(it).includes(ids));
  const begins = messages.flatMap((it) => (it.tag === 'begin' ? [it.commitLsn] : []));
  const ends = messages.flatMap((it) => (it.tag === 'commit' ? [it.endLsn] : []));
  // The story happens: the second commit begins where the first one ends.
  expect(begins.at(-1)).toBe(ends.at(-2));
  await end(ends.at(-2) as bigint);
  await stage.stopRelays();
  const [again, endAgain] = await read((it) => inserted(it).includes(ids));
  expect(inserted(again)).toEqual([ids]);
  await endAgain(0n);
}, 20_000);
