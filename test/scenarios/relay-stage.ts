import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Cache, type CacheOptions, createCache, key } from '../../src/index.ts';
import { coverageOf, type Draft } from '../../src/coherence/record.ts';
import { encodeDraft } from '../../src/coherence/wire.ts';
import { createRelay, migrate, type Relay, type RelayEvent, type RelayOptions } from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const PATIENT = { timeout: 20_000, every: 10 } as const;

/** A Postgres with an outbox, a Redis, caches and relays, for one story after the other. */
export class RelayStage {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly pool: pg.Pool;
  readonly events: RelayEvent[] = [];
  #open: { close(): Promise<unknown> }[] = [];

  private constructor(postgres: PostgresServer, server: RedisServer) {
    this.postgres = postgres;
    this.redis = server;
    this.pool = new pg.Pool({ connectionString: postgres.url });
    this.pool.on('error', () => {});
  }

  /** @param settings of the Postgres */
  static async set(settings: readonly string[] = []): Promise<RelayStage> {
    const stage = new RelayStage(...(await Promise.all([startPostgres(settings), startRedis()])));
    await migrate(stage.pool);
    return stage;
  }

  cache(options: Partial<CacheOptions> = {}): Cache {
    const cache = createCache({ name: 'crash', maxLag: 500, ...redis({ url: this.redis.url }), ...options });
    this.#open.push(cache);
    return cache;
  }

  relay(options: Partial<RelayOptions> = {}): Relay {
    const log = redis({ url: this.redis.url });
    const relay = createRelay({ name: 'crash', maxLag: 500, ...log, database: this.postgres.url, ...options });
    relay.on((event) => this.events.push(event));
    this.#open.push({ close: () => relay.stop() });
    relay.start();
    return relay;
  }

  /** What a writer leaves behind that has died after its commit. */
  async leave(id: number, { notify = true, message = randomBytes(16).toString('hex') } = {}): Promise<string> {
    const draft: Draft = { ...coverageOf([key('item', id)]), id: message, origin: 'writer', time: 0, lsn: 'unknown' };
    await this.pool.query(
      `WITH kept AS (INSERT INTO tidemark.outbox (message) VALUES ($1) RETURNING 1) SELECT ${notify ? "pg_notify('tidemark', '')" : '1'} FROM kept`,
      [Buffer.from(encodeDraft(draft))],
    );
    return message;
  }

  async rows(): Promise<number> {
    return (await this.pool.query('SELECT FROM tidemark.outbox')).rowCount ?? 0;
  }

  /** Until nothing waits to be relayed. */
  async emptied(): Promise<void> {
    await waitUntil(async () => (await this.rows()) === 0, { ...PATIENT, what: 'an empty outbox' });
  }

  async active(relay: Relay): Promise<void> {
    await waitUntil(() => relay.status().state === 'active', { ...PATIENT, what: 'an active relay' });
  }

  count(type: RelayEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** Ends what a story has begun. */
  async clear(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((it) => it.close()));
    this.events.length = 0;
    await this.pool.query('TRUNCATE tidemark.outbox, tidemark.relay');
    await this.redis.restart();
  }

  async strike(): Promise<void> {
    await this.pool.end();
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
  }
}
