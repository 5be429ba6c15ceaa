import { type CacheOptions, createCache, everything } from 'tidemark';
import { redis } from 'tidemark/redis';

/**
 * The cache of one instance.
 *
 * @param redisUrl where the instances share what they keep, and hear of each other's changes; without it there is only this one
 */
export function cacheOptions(redisUrl: string | undefined): CacheOptions {
  return { name: 'franchise', ...(redisUrl !== undefined && redis({ url: redisUrl })) };
}

/**
 * What a Redis still has was computed from other books than those that have just been made.
 *
 * @throws TidemarkError `NOT_READY` when the Redis does not answer: then nobody can say what it has
 */
export async function forgetOtherBooks(redisUrl: string): Promise<void> {
  const cache = createCache(cacheOptions(redisUrl));
  try {
    await cache.ready();
    await cache.invalidate(everything());
  } finally {
    await cache.close();
  }
}
