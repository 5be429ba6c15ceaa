import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A Redis for the tests of a file, and a client that asks it whatever a test wants to know; emptied before each test. */
export interface EmptiedRedis {
  /** Once the tests have begun. */
  readonly server: RedisServer;
  readonly admin: Redis;
  /** See {@link elapsed}. */
  readonly elapse: (ms: number) => Promise<void>;
}

/** Microseconds, as the server says. */
async function timeOf(admin: Redis): Promise<number> {
  const [seconds, microseconds] = await admin.time();
  return Number(seconds) * 1_000_000 + Number(microseconds);
}

/** Resolves once a server's own clock has gone on by so many ms: what is kept there runs out by that. */
export async function elapsed(admin: Redis, ms: number): Promise<void> {
  const end = (await timeOf(admin)) + ms * 1_000;
  await waitUntil(async () => (await timeOf(admin)) >= end, { every: 5, what: `${ms} ms of the server's clock` });
}

/** Call it at the top of a file, before its own hooks. */
export function emptiedRedis(): EmptiedRedis {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await admin.flushall();
  });
  return {
    get server() {
      return server;
    },
    get admin() {
      return admin;
    },
    elapse: (ms) => elapsed(admin, ms),
  };
}
