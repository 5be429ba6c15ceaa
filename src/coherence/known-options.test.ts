import { describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';

describe('options that nobody reads', () => {
  it('of a cache are refused with the name that was meant, before anything is made', () => {
    const make = (): unknown => createCache({ name: 'test', maxlag: '1s' } as never);
    expect(make).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: 'createCache: there is no option "maxlag". Write maxLag.',
      }),
    );
  });

  it('of a query, of a read and of defaults are refused with those there are', async () => {
    const cache = createCache({ name: 'test' });
    const options = { name: 'q', load: () => 1, expires: '1s' };
    expect(() => cache.query(options)).toThrow(/^query "q": there is no option "expires"\. Known are ttl, grace, /);
    const read = cache.getOrSet('k', () => 1, { TTL: '1s' } as never);
    await expect(read).rejects.toThrow('getOrSet: there is no option "TTL". Write ttl.');
    const defaults = { staleness: 1 } as never;
    expect(() => createCache({ name: 'test', defaults })).toThrow(/^defaults: there is no option "staleness"/);
    expect(() => cache.query({ name: 'q', load: () => 1 }).with({ atleast: 'x' } as never)).toThrow('Write atLeast.');
    await cache.close();
  });

  it('may be undefined where they exist', async () => {
    const cache = createCache({ name: 'test', maxLag: undefined } as never);
    expect(await cache.getOrSet('k', () => 1, { ttl: undefined } as never)).toBe(1);
    await cache.close();
  });
});
