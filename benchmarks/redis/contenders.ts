import { CAPACITY, TTL_SECONDS, type Value } from '../workload.ts';
import type { BenchServer } from './server.ts';

/** One library over Redis, used as its documentation says. */
export interface RedisContender {
  read(key: string): Promise<Value | undefined>;
  invalidate?(key: string): Promise<unknown>;
}

export interface RedisSetting {
  readonly server: BenchServer;
  /** Entries in the memory of the process: where it is 1, all reads go to Redis, also in libraries that cannot do without. */
  readonly memory: number;
  readonly load: (key: string) => Promise<Value>;
}

const ttl = TTL_SECONDS * 1_000;

/** Each is loaded only by the processes that measure it. */
const known = {
  async ioredis({ server, load }) {
    const { Redis } = await import('ioredis');
    const client = new Redis(server.url);
    return {
      async read(key) {
        const found = await client.get(key);
        if (found !== null) return JSON.parse(found) as Value;
        const value = await load(key);
        await client.set(key, JSON.stringify(value), 'PX', ttl);
        return value;
      },
    };
  },
  Tidemark: (setting) => tidemark(setting, true),
  'Tidemark without lease': (setting) => tidemark(setting, false),
  async bentocache({ server, memory, load }) {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis');
    const connection = { host: '127.0.0.1', port: server.port };
    const shared = bentostore().useL2Layer(redisDriver({ connection }));
    const store =
      memory > 1
        ? shared.useL1Layer(memoryDriver({ maxItems: memory, serialize: false })).useBus(redisBusDriver({ connection }))
        : shared;
    const cache = new BentoCache({ default: 'store', ttl, stores: { store } });
    return {
      read: (key) => cache.getOrSet({ key, factory: () => load(key) }),
      invalidate: (key) => cache.delete({ key }),
    };
  },
  async 'layered-loader'({ server, memory, load }) {
    const { Redis } = await import('ioredis');
    const { Loader, RedisCache } = await import('layered-loader');
    const loader = new Loader<Value>({
      ...(memory > 1 ? { inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: ttl, maxItems: memory } } : {}),
      asyncCache: new RedisCache<Value>(new Redis(server.url), { ttlInMsecs: ttl, json: true, prefix: 'user' }),
      dataSourceGetOneFn: load,
    });
    return {
      read: (key) => loader.get(key) as Promise<Value>,
      invalidate: (key) => loader.invalidateCacheFor(key),
    };
  },
  async cacheable({ server, memory, load }) {
    const { Cacheable, createKeyv } = await import('cacheable');
    const { default: KeyvRedis } = await import('@keyv/redis');
    const cache = new Cacheable({
      primary: createKeyv({ lruSize: memory, useClone: false }),
      secondary: new KeyvRedis(server.url),
      ttl,
    });
    return { read: (key) => cache.getOrSet(key, () => load(key)), invalidate: (key) => cache.delete(key) };
  },
  async 'cache-manager'({ server, memory, load }) {
    const { createCache } = await import('cache-manager');
    const { KeyvCacheableMemory } = await import('cacheable');
    const { Keyv } = await import('keyv');
    const { default: KeyvRedis } = await import('@keyv/redis');
    const near = new Keyv({ store: new KeyvCacheableMemory({ lruSize: memory, useClone: false }) });
    near.serialize = undefined;
    near.deserialize = undefined;
    const far = new Keyv({ store: new KeyvRedis(server.url) });
    const cache = createCache({ stores: memory > 1 ? [near, far] : [far], ttl });
    return { read: (key) => cache.wrap(key, () => load(key)), invalidate: (key) => cache.del(key) };
  },
  async 'async-cache-dedupe'({ server, load }) {
    const { Redis } = await import('ioredis');
    const { createCache } = await import('async-cache-dedupe');
    const client = new Redis(server.url);
    const cache = createCache({ ttl: TTL_SECONDS, storage: { type: 'redis', options: { client } } });
    const { user } = cache.define('user', {}, (key: string) => load(key));
    return { read: (key) => user(key), invalidate: (key) => cache.clear('user', key) };
  },
} satisfies Record<string, (setting: RedisSetting) => Promise<RedisContender>>;

export type RedisContenderName = keyof typeof known;

export const redisContenders: Readonly<Record<RedisContenderName, (setting: RedisSetting) => Promise<RedisContender>>> =
  known;

async function tidemark({ server, memory, load }: RedisSetting, leases: boolean): Promise<RedisContender> {
  const { createCache, key: keyTarget } = await import('tidemark');
  const { redis } = await import('tidemark/redis');
  const { lease, ...parts } = redis({ url: server.url });
  const cache = createCache({
    name: 'bench',
    ...parts,
    ...(leases ? { lease } : {}),
    memory: memory > 1 ? { maxEntries: memory } : false,
    defaults: { ttl },
  });
  await cache.ready();
  return {
    read: (key) => cache.getOrSet(key, () => load(key)),
    invalidate: (key) => cache.invalidate(keyTarget(key)),
  };
}

/** Entries that fit into memory where two tiers are measured. */
export const BOTH_TIERS = CAPACITY;
