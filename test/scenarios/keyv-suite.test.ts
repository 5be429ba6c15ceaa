import suite, { keyvIteratorTests } from '@keyv/test-suite';
import { Keyv } from 'keyv';
import * as vitest from 'vitest';
import { type Cache, createCache } from '../../src/index.ts';
import { KeyvTidemark } from '../../src/keyv/index.ts';
import { redis } from '../../src/redis/index.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const { afterAll, beforeAll, describe } = vitest;

/** Keyv's public suite, all of it that is about a store. */
function suites(store: () => KeyvTidemark): void {
  suite(vitest, Keyv, store);
  keyvIteratorTests(vitest, Keyv, store);
}

/** Each Keyv has a store of its own, as the suite's authors use theirs; they share the cache. */
const MODES = [
  ['what is set after a miss was loaded', true],
  ['every set is a write', false],
] as const;

describe.each(MODES)('Keyv’s own suite, in memory: %s', (_mode, fills) => {
  const cache = createCache({ name: 'keyv' });
  afterAll(() => cache.close());
  suites(() => new KeyvTidemark({ cache, fills }));
});

describe.each(MODES)('Keyv’s own suite, on Redis: %s', (_mode, fills) => {
  let server: RedisServer;
  let cache: Cache;

  beforeAll(async () => {
    server = await startRedis();
    cache = createCache({ name: 'keyv', ...redis({ url: server.url }) });
    await cache.ready();
  });

  afterAll(async () => {
    await cache.close();
    await server.stop();
  });

  suites(() => new KeyvTidemark({ cache, fills }));
});
