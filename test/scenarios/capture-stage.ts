import pg from 'pg';
import { type Cache, createCache, type Target, tag } from '../../src/index.ts';
import {
  type CaptureOptions,
  capture,
  captureTables,
  createRelay,
  migrate,
  type Relay,
  type RelayEvent,
} from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { CaptureStatus } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

/** A Postgres, a Redis, a cache, and relays that capture. */
export interface Stage {
  readonly server: PostgresServer;
  readonly redis: RedisServer;
  readonly pool: pg.Pool;
  readonly cache: Cache;
  /** Of all relays. */
  readonly events: RelayEvent[];
  relay(options?: CaptureOptions, more?: object): Relay;
  /** What a relay says of its capture. */
  status(relay: Relay): CaptureStatus;
  streaming(relay: Relay): Promise<void>;
  /** Whether the cache still has what it was given, for each of these. */
  holds(...names: readonly string[]): boolean[];
  /** Gives the cache something to keep, one entry of each tag. */
  keep(...names: readonly string[]): Promise<void>;
  /** Until the cache has none of these any more. */
  gone(...names: readonly string[]): Promise<void>;
  /** Resolves when nobody reads a slot any more. */
  stopRelays(): Promise<void>;
  end(): Promise<void>;
}

/** Users, who belong to organisations. */
export const users = captureTables<{ users: { id: number; org_id: number; name: string } }>()({
  users: { columns: ['id', 'org_id'], targets: (row): Target[] => [tag(`user:${row.id}`), tag(`org:${row.org_id}`)] },
});

export async function setStage(settings: readonly string[] = []): Promise<Stage> {
  const server = await startPostgres(settings);
  const shared = await startRedis();
  const pool = new pg.Pool({ connectionString: server.url, max: 5 });
  pool.on('error', () => {});
  await migrate(server.url);
  await pool.query('CREATE TABLE users (id int PRIMARY KEY, org_id int NOT NULL, name text, note text)');
  const cache = createCache({ name: 'shop', ...redis({ url: shared.url }) });
  await cache.ready();
  const relays: Relay[] = [];
  const events: RelayEvent[] = [];
  const kept = cache.query({ name: 'kept', load: (name: string) => name, tags: (name) => [name], ttl: '1h' });
  return {
    server,
    redis: shared,
    pool,
    cache,
    events,
    relay: (options = { tables: users }, more = {}) => {
      const relay = createRelay({
        ...{ name: 'shop', ...redis({ url: shared.url }), database: server.url, outbox: false },
        ...{ capture: capture(options), ...more },
      });
      relay.on((event) => events.push(event));
      relays.push(relay);
      relay.start();
      return relay;
    },
    status: (relay) => relay.status().capture as CaptureStatus,
    streaming: async (relay) => {
      const isStreaming = (): boolean => {
        const { state, gap } = relay.status().capture as CaptureStatus;
        return state === 'streaming' && gap === undefined;
      };
      await waitUntil(isStreaming, { what: 'a relay that captures', timeout: 15_000 });
    },
    holds: (...names) => names.map((name) => kept.peek(name) !== undefined),
    keep: async (...names) => {
      for (const name of names) await kept(name);
    },
    gone: async (...names) => {
      for (const name of names)
        await waitUntil(() => kept.peek(name) === undefined, { what: `the end of ${name}`, timeout: 10_000 });
    },
    stopRelays: async () => {
      for (const relay of relays.splice(0)) await relay.stop();
      const idle = async (): Promise<boolean> =>
        (await pool.query('SELECT FROM pg_replication_slots WHERE active')).rowCount === 0;
      await waitUntil(idle, { what: 'a slot that nobody reads' });
    },
    end: async () => {
      for (const relay of relays) await relay.stop();
      await cache.close();
      await pool.end();
      await shared.stop();
      await server.stop();
    },
  };
}
