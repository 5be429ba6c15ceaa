import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCache } from '../../src/cache/cache.ts';
import type { Query } from '../../src/cache/query.ts';
import { createOperations } from '../../src/operations/operations.ts';
import { redis } from '../../src/redis/redis.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { UNHURRIED } from './unhurried.ts';

let log: RedisServer;
let postgres: PostgresServer;
let database: pg.Pool;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [log, postgres] = await Promise.all([startRedis(), startPostgres()]);
  database = new pg.Pool({ connectionString: postgres.url, max: 4 });
  // The server ends before the last of them has heard goodbye.
  database.on('connect', (client) => void client.on('error', () => {}));
  await database.query('CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)');
  await database.query('INSERT INTO account SELECT id, 100 FROM generate_series(1, 20) AS id');
}, 120_000);

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

afterAll(async () => {
  await database.end();
  await Promise.all([log.stop(), postgres.stop()]);
});

async function balance(id: number): Promise<number> {
  const { rows } = await database.query<{ balance: number }>('SELECT balance FROM account WHERE id = $1', [id]);
  return rows[0]?.balance ?? 0;
}

/** A node whose sampler looks again soon, and often. */
function node() {
  const cache = createCache({ name: 'bank', ...redis({ url: `redis://127.0.0.1:${log.port}` }) });
  const accounts = cache.query({ name: 'account', load: balance, ttl: '1h' });
  const operations = createOperations(cache, {
    sampler: { loads: 50, recheck: ['100ms', '300ms', '1s'], window: '5s', values: true },
    health: { ...UNHURRIED, leastSamples: 5 },
  });
  ends.push(async () => {
    await operations.close();
    await cache.close();
  });
  return { cache, accounts, operations };
}

/** Reads all accounts again and again, while somebody writes, until something holds. */
async function readUntil(
  accounts: Query<[number], number>,
  holds: () => boolean,
  write = async (): Promise<void> => {},
): Promise<void> {
  await waitUntil(
    async () => {
      const written = write();
      for (let i = 0; i < 400; i++) await accounts(1 + (i % 20));
      await written;
      return holds();
    },
    { timeout: 60_000 },
  );
}

describe('a write that goes past everything', { timeout: 180_000 }, () => {
  it('is found, with its story; health turns, and recovers once it is invalidated', async () => {
    const [here, there] = [node(), node()];
    await Promise.all([here.cache.ready(), there.cache.ready()]);
    const { sampler } = here.operations;
    const report = () => sampler?.report();

    // What is changed as it should be, by another node, is no violation, however often.
    let writes = 0;
    const write = async (): Promise<void> => {
      const id = 1 + (writes++ % 20);
      await database.query('UPDATE account SET balance = balance + 1 WHERE id = $1', [id]);
      await there.cache.invalidate([there.accounts.at(id)], { cause: { event: 'account.credited' } });
    };
    const judged = (): number => {
      const { same = 0, within100ms = 0, within1s = 0 } = report()?.counts ?? {};
      return same + within100ms + within1s;
    };
    await readUntil(here.accounts, () => judged() >= 30, write);
    await readUntil(here.accounts, () => report()?.waiting === 0 && (report()?.score ?? 0) > 99);
    expect(report()).toMatchObject({ counts: { violations: 0, unstable: 0 }, violations: [] });
    expect(here.operations.health()).toMatchObject({ status: 'healthy', reasons: [] });

    await database.query('UPDATE account SET balance = -1 WHERE id <= 10');
    await readUntil(here.accounts, () => (sampler?.standing().length ?? 0) > 0);
    const [violation] = report()?.violations ?? [];
    expect(violation).toMatchObject({
      ...{ kind: 'violation', query: 'account', from: 'memory', node: here.cache.parts.node },
      values: { loaded: -1 },
      labels: [{ covers: false }, { covers: false }],
    });
    expect(violation?.looks.map(({ agrees }) => agrees)).toEqual([false, false, false, false]);
    expect(violation?.records.length).toBeGreaterThan(0);
    expect(violation?.records[0]).toMatchObject({ event: 'account.credited', origin: there.cache.parts.node });
    await readUntil(here.accounts, () => (report()?.score ?? 100) < 95);
    const health = here.operations.health();
    expect(health.status).not.toBe('healthy');
    expect(health.reasons.map(({ code }) => code)).toEqual(expect.arrayContaining(['violation', 'consistency']));
    expect(health.recommendations.join(' ')).toContain('invalidate');

    await there.cache.invalidate([there.accounts.at()]);
    await readUntil(here.accounts, () => here.operations.health().status === 'healthy');
    expect(sampler?.standing()).toEqual([]);
    expect(await here.accounts(1)).toBe(-1);
  });
});
