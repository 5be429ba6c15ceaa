import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { key } from '../../src/index.ts';
import { createTransactions } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import type { Report } from '../crash/message.ts';
import { RelayStage } from './relay-stage.ts';

let stage: RelayStage;
beforeAll(async () => {
  stage = await RelayStage.set();
}, 60_000);
afterEach(() => stage.clear());
afterAll(() => stage.strike());

const cachedBy = async (cache: ReturnType<RelayStage['cache']>, id: number): Promise<() => Promise<string>> => {
  await cache.ready();
  await cache.getOrSet(['item', id], () => 'old');
  return () => cache.getOrSet(['item', id], () => 'new');
};

it('what writers append themselves is only deleted', async () => {
  const cache = stage.cache();
  const relay = stage.relay({ outbox: { grace: '500ms' } });
  await Promise.all([cache.ready(), stage.active(relay)]);
  const { transaction } = createTransactions(cache);
  for (let i = 0; i < 20; i++) await transaction(stage.pool, (tx) => tx.invalidate(key('item', i)));
  await stage.emptied();
  await waitUntil(() => relay.status().outbox?.direct === 20);
  expect(relay.status()).toMatchObject({ outbox: { appended: 0 }, log: { duplicates: 0 } });
});

it('Redis is gone for a while, with all it had: rows wait, and are appended when there is a log again', async () => {
  const cache = stage.cache();
  const read = await cachedBy(cache, 1);
  await stage.active(stage.relay());
  await stage.redis.kill();
  await stage.leave(1);
  await stage.leave(2);
  await waitUntil(() => stage.events.some((it) => it.type === 'reconnecting' && it.to === 'log'));
  expect(await stage.rows()).toBe(2);
  await stage.redis.restart();
  await stage.emptied();
  expect(await read()).toBe('new');
});

it('Redis hangs: nothing is lost, and nobody fails', async () => {
  const cache = stage.cache();
  const read = await cachedBy(cache, 1);
  const relay = stage.relay();
  await stage.active(relay);
  stage.redis.signal('SIGSTOP');
  await stage.leave(1);
  await waitUntil(() => stage.events.some((it) => it.type === 'reconnecting'));
  stage.redis.signal('SIGCONT');
  await stage.emptied();
  expect(await read()).toBe('new');
  expect(stage.count('failed')).toBe(0);
});

it('Redis is emptied between an append and its proof: the new epoch gets the message as well', async () => {
  const relay = stage.relay();
  const cache = stage.cache();
  await Promise.all([cache.ready(), stage.active(relay)]);
  for (let i = 0; i < 10; i++) {
    await stage.leave(i);
    await stage.redis.restart();
  }
  await stage.emptied();
  expect(relay.status().outbox?.appended).toBeGreaterThanOrEqual(10);
}, 30_000);

it('Postgres crashes: the relay is there when it is back', async () => {
  const cache = stage.cache();
  const read = await cachedBy(cache, 1);
  const relay = stage.relay();
  await stage.active(relay);
  await stage.postgres.kill();
  await waitUntil(() => relay.status().state === 'standby');
  await stage.postgres.restart();
  await waitUntil(() => stage.leave(1), { timeout: 10_000 });
  await stage.emptied();
  expect(await read()).toBe('new');
  expect(relay.status().state).toBe('active');
});

it('its session is ended by somebody: it takes a new one', async () => {
  const relay = stage.relay();
  await stage.active(relay);
  await stage.pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemark' AND pid <> pg_backend_pid()",
  );
  await waitUntil(() => stage.count('standby') === 1);
  await stage.leave(1);
  await stage.emptied();
  expect(stage.count('active')).toBe(2);
});

it('of two one works, and the other takes over when it ends', async () => {
  const first = stage.relay();
  await stage.active(first);
  const second = stage.relay();
  await stage.leave(1);
  await stage.emptied();
  expect(second.status().state).toBe('standby');
  await first.stop();
  await stage.leave(2);
  await stage.emptied();
  expect(first.status()).toMatchObject({ state: 'stopped', outbox: { appended: 1 } });
  expect(second.status()).toMatchObject({ state: 'active', outbox: { appended: 1 } });
});

it('knows what was appended while another one worked', async () => {
  const first = stage.relay();
  await stage.active(first);
  const second = stage.relay();
  const cache = stage.cache();
  await cache.ready();
  await waitUntil(() => second.status().log.reachable);
  const message = await stage.leave(1);
  await stage.emptied();
  await first.stop();
  await stage.active(second);
  await stage.leave(1, { message });
  await stage.emptied();
  await waitUntil(() => second.status().outbox?.direct === 1);
  expect(second.status().outbox?.appended).toBe(0);
});

it.each(['SIGKILL', 'SIGSTOP'] as const)(
  'takes over within seconds from a process that gets %s',
  async (signal) => {
    const child = fork(fileURLToPath(new URL('../crash/relay-process.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    });
    try {
      const ready = once(child, 'message');
      child.send({
        type: 'begin',
        assignment: { database: stage.postgres.url, redis: stage.redis.url, carrier: 'outbox' },
      });
      await ready;
      const relay = stage.relay();
      await waitUntil(() => relay.status().log.reachable);
      expect(relay.status().state).toBe('standby');
      child.kill(signal);
      await stage.leave(1);
      await stage.emptied();
      expect(relay.status().outbox?.appended).toBe(1);
      if (signal === 'SIGKILL') return;
      child.kill('SIGCONT');
      await stage.leave(2);
      await stage.emptied();
      await waitUntil(async () => {
        child.send({ type: 'status' });
        const [report] = (await once(child, 'message')) as [Report];
        return report.type === 'status' && report.state === 'standby';
      });
      expect(relay.status()).toMatchObject({ state: 'active', outbox: { appended: 2 } });
    } finally {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await gone;
    }
  },
  40_000,
);

it('is woken by a notification', async () => {
  const relay = stage.relay({ outbox: { poll: '1h' } });
  await stage.active(relay);
  await stage.leave(1);
  await stage.emptied();
  await stage.leave(2);
  await stage.emptied();
  expect(relay.status().outbox?.appended).toBe(2);
});

it('notifications do not come: it looks by itself, and more often once it has noticed', async () => {
  const relay = stage.relay();
  await stage.active(relay);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const since = performance.now();
    await stage.leave(i, { notify: false });
    await stage.emptied();
    times.push(performance.now() - since);
  }
  expect(relay.status().outbox?.appended).toBe(6);
  // One of the first takes up to a second; the later ones are looked for ten times as often.
  expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(600);
});

it('a writer that appends later than the relay makes a duplicate, which is counted', async () => {
  const relay = stage.relay();
  const cache = stage.cache();
  await Promise.all([stage.active(relay), cache.ready()]);
  const id = await stage.leave(1);
  await stage.emptied();
  await cache.invalidate([key('item', 1)], { id });
  await waitUntil(() => relay.status().log.duplicates === 1);
  expect(stage.events.at(-1)).toEqual({ type: 'duplicate', id });
});

it('needs few rights, and says which are missing', async () => {
  await stage.pool.query('CREATE ROLE relay LOGIN');
  stage.relay({ database: stage.postgres.urlOf('relay') });
  await waitUntil(() => stage.count('failed') > 0);
  expect(stage.events.at(-1)).toMatchObject({
    error: { code: 'INVALID_OPTION', message: expect.stringMatching(/GRANT SELECT, DELETE ON "tidemark"\.outbox TO/) },
  });
  await stage.pool.query(
    'GRANT USAGE ON SCHEMA tidemark TO relay; GRANT SELECT, DELETE ON tidemark.outbox TO relay; GRANT SELECT, INSERT ON tidemark.relay TO relay',
  );
  await stage.leave(1);
  await stage.emptied();
});

it('does not work on a replica', async () => {
  const replica = await stage.postgres.replica();
  try {
    const relay = stage.relay({ database: replica.url });
    await waitUntil(() => stage.events.some((it) => it.type === 'reconnecting' && /replica/.test(String(it.error))));
    expect(relay.status().state).toBe('standby');
  } finally {
    await replica.stop();
  }
}, 30_000);
