import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Registry } from 'prom-client';
import { createAdmin, type Admin } from '../../src/admin/index.ts';
import { type Cache, createCache, type Query, tag } from '../../src/index.ts';
import {
  createOperations,
  type HealthOptions,
  type Operations,
  type SamplerOptions,
} from '../../src/operations/index.ts';
import { createRelay, createTransactions, type Relay } from '../../src/postgres/index.ts';
import { prometheus } from '../../src/prometheus/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { DayAnswer, DayRequest, Office } from './day.ts';

/** A service of the fleet over its database, or a relay, in a process of its own. */
interface Running {
  storm(tenant: string, count: number): Promise<void>;
  close(): Promise<void>;
}

/** Rows of the database, and how many belong to a tenant. */
const ROWS = 60;
const ROWS_OF_A_TENANT = 10;
/** The others nobody changes. */
const CHANGED = 50;

/** Shorter than a service would have it, so that the day is. */
const HEALTH: HealthOptions = {
  ...{ window: '2s', leastReads: 50, leastSamples: 5 },
  // How busy the machine is, is not what the day is about.
  thresholds: {
    latencyP95: { degraded: 5_000, critical: 20_000 },
    eventLoop: { degraded: 10_000, critical: 20_000 },
    lag: { degraded: 1 },
  },
};
const SAMPLER: SamplerOptions = { loads: 50, recheck: ['100ms', '300ms', '1s'], window: '4s' };

let running: Running | undefined;

async function serve(office: Office): Promise<{ running: Running; url: string }> {
  const pool = new pg.Pool({ connectionString: office.database, max: 4 });
  pool.on('error', () => {});
  const cache = createCache({ name: 'day', ...redis({ url: office.redis }) });
  const operations = createOperations(cache, { reportEvery: '500ms', health: HEALTH, sampler: SAMPLER });
  const { metrics } = prometheus(operations, { register: new Registry() });
  const admin = createAdmin(operations, {
    access: { tokens: { operator: office.token } },
    prometheus: metrics,
    rate: false,
  });
  const server = createServer((request, response) => admin.listener(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const balance = cache.query({
    name: 'balance',
    load: async (id: number) => {
      const { rows } = await pool.query<{ balance: number }>('SELECT balance FROM account WHERE id = $1', [id]);
      return rows[0]?.balance;
    },
    tags: (id) => [`tenant:${Math.floor(id / ROWS_OF_A_TENANT)}`],
    ttl: '1h',
  });
  const traffic = busy(balance, pool, cache);
  await cache.ready({ timeout: '20s' });
  return {
    running: {
      storm: (tenant, count) => storm(cache, tenant, count),
      close: () => closeAll({ traffic, admin, server, operations, cache, pool }),
    },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
}

/** Readers, and a writer whose records travel with its transactions. Nobody is told of what fails: that is what health is for. */
function busy(balance: Query<[number], number | undefined>, pool: pg.Pool, cache: Cache): () => Promise<void> {
  const { transaction } = createTransactions(cache);
  let isBusy = true;
  const repeat = async (ms: number, rows: number, work: (id: number) => Promise<unknown>): Promise<void> => {
    while (isBusy) {
      await work(Math.floor(Math.random() * rows)).catch(() => {});
      await pause(ms);
    }
  };
  const write = (id: number): Promise<unknown> =>
    transaction(pool, async (tx) => {
      await tx.query('UPDATE account SET balance = balance + 1 WHERE id = $1', [id]);
      tx.invalidate(balance.at(id));
    });
  const loops = [...[1, 1, 1].map((ms) => repeat(ms, ROWS, balance)), repeat(250, CHANGED, write)];
  return async () => {
    isBusy = false;
    await Promise.all(loops);
  };
}

async function storm(cache: Cache, tenant: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await cache.invalidate([tag(`tenant:${tenant}`)], { cause: { fields: { tenant } } });
}

async function closeAll(it: {
  traffic: () => Promise<void>;
  admin: Admin;
  server: Server;
  operations: Operations;
  cache: Cache;
  pool: pg.Pool;
}): Promise<void> {
  await it.traffic();
  await it.admin.close();
  await new Promise((closed) => {
    it.server.close(closed);
    it.server.closeAllConnections();
  });
  await it.operations.close();
  await it.cache.close();
  await it.pool.end();
}

function relay(office: Office): Running {
  const made: Relay = createRelay({ name: 'day', ...redis({ url: office.redis }), database: office.database });
  made.start();
  return { storm: () => Promise.resolve(), close: () => made.stop() };
}

function answer(message: DayAnswer): void {
  process.send?.(message);
}

async function take(request: DayRequest): Promise<void> {
  switch (request.type) {
    case 'serve': {
      const served = await serve(request.office);
      running = served.running;
      return answer({ type: 'serves', url: served.url });
    }
    case 'relay':
      running = relay(request.office);
      return answer({ type: 'done' });
    case 'storm':
      await running?.storm(request.tenant, request.count);
      return answer({ type: 'done' });
    case 'stop':
      await running?.close();
      return process.disconnect();
    default:
      return request satisfies never;
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: DayRequest) => {
  take(request).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
