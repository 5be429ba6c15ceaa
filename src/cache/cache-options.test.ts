import { describe, expect, it, vi } from 'vitest';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { memoryStore } from './memory-store.ts';

describe('createCache', () => {
  it('needs nothing but a name', async () => {
    const cache = createCache({ name: 'shop' });
    expect(cache.name).toBe('shop');
    await cache.ready();
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect(await cache.close()).toEqual({ unsent: 0 });
  });

  it('takes every option as the documentation has it', async () => {
    const cache = createCache({
      name: 'shop',
      prefix: 'staging',
      enabled: true,
      optIn: false,
      memory: { maxEntries: 10, maxBytes: '1mb' },
      store: memoryStore(),
      serializer: 'msgpack',
      compression: { above: '1kb' },
      loads: { concurrency: 5 },
      whenDetached: { serve: '10s' },
      maxLag: '1s',
      maxLife: '1h',
      slots: 1_024,
      hashes: 2,
      patience: '100ms',
      maxQueue: 10,
      requestTimeout: '100ms',
      freeze: false,
      logHits: true,
      logMisses: true,
      defaults: { ttl: { memory: '1m', store: '1h' }, grace: '1m', jitter: 0.1, eagerRefresh: 0.8 },
    });
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    await cache.close();
  });

  it.each<[unknown, string]>([
    [undefined, "name: undefined is not a name. Give the cache one: createCache({ name: 'shop' })."],
    [null, 'name: undefined is not a name.'],
    [{}, 'name: undefined is not a name.'],
    [{ name: '' }, 'name: "" is not a name.'],
    [{ name: 7 }, 'name: 7 is not a name.'],
    [{ name: 'x'.repeat(2_000) }, 'is longer than 1024 characters'],
    [{ name: 'a', memory: { maxEntries: 0 } }, 'memory.maxEntries: 0 is not a positive whole number.'],
    [{ name: 'a', memory: { maxEntries: 1.5 } }, 'memory.maxEntries: 1.5 is not a positive whole number.'],
    [{ name: 'a', memory: { maxBytes: '64MB' } }, 'memory.maxBytes: "64MB" is not a size.'],
    [{ name: 'a', memory: { maxBytes: 0 } }, 'memory.maxBytes: 0 is not a size.'],
    [{ name: 'a', compression: { above: 'big' } }, 'compression.above: "big" is not a size.'],
    [{ name: 'a', loads: { concurrency: 0 } }, 'loads.concurrency: 0 is not a positive whole number.'],
    [{ name: 'a', whenDetached: 'serve' }, "whenDetached: \"serve\" is neither 'load' nor { serve: '10s' }."],
    [{ name: 'a', whenDetached: { serve: 'x' } }, 'whenDetached.serve: "x" is not a duration.'],
    [{ name: 'a', maxLag: '499ms' }, 'maxLag: "499ms" is too short. Give at least 500 ms.'],
    [{ name: 'a', maxLag: 'x' }, 'maxLag: "x" is not a duration.'],
    [{ name: 'a', maxLife: '59s' }, 'maxLife: "59s" is too short. Give at least 60000 ms.'],
    [{ name: 'a', slots: 1_000 }, 'slots: 1000 is not a power of two from 16 to 2^28.'],
    [{ name: 'a', hashes: 0 }, 'hashes: 0 is not'],
    [{ name: 'a', patience: -1 }, 'patience: -1 is not a duration.'],
    [{ name: 'a', maxQueue: 0 }, 'maxQueue: 0 is not a positive whole number.'],
    [{ name: 'a', requestTimeout: 'soon' }, 'requestTimeout: "soon" is not a duration.'],
    [
      { name: 'a', serializer: 'xml' },
      "serializer: \"xml\" is none. Give 'json', 'msgpack' or { id, encode, decode }.",
    ],
    [
      { name: 'a', serializer: { id: 1, encode: () => 1, decode: () => 1 } },
      'serializer.id: 1 is not an integer from 16 to 255.',
    ],
    [{ name: 'a', defaults: { ttl: 'x' } }, 'ttl: "x" is not a duration.'],
    [{ name: 'a', defaults: { jitter: 2 } }, 'jitter: 2 is not a share.'],
  ])('refuses %j', (options, message) => {
    expect(() => createCache(options as CacheOptions)).toThrow(message);
    expect(() => createCache(options as CacheOptions)).toThrow(
      expect.objectContaining({
        name: 'TidemarkError',
        code: expect.stringMatching(/^INVALID_(OPTION|KEY)$/) as string,
      }),
    );
  });

  it('checks everything before it makes anything', () => {
    const make = vi.fn(() => {
      throw new Error('made too early');
    });
    const parts = { log: make, store: make, lease: make, breaker: make, check: make };
    for (const wrong of [
      { slots: 1_000 },
      { hashes: 0 },
      { defaults: { ttl: -1 } },
      { maxQueue: 0 },
      { prefix: '\ud800' },
    ])
      expect(() => createCache({ name: 'a', ...parts, ...wrong })).toThrow(
        expect.objectContaining({ name: 'TidemarkError' }),
      );
    expect(make).not.toHaveBeenCalled();
  });
});
