import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A Redis for the tests of a file, and a client that asks it whatever a test wants to know; emptied before each test. */
export interface EmptiedRedis {
  /** Once the tests have begun. */
  readonly server: RedisServer;
  readonly admin: Redis;
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
  };
}
