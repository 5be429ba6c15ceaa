import { createCache } from 'async-cache-dedupe';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS } from '../workload.ts';

/** Tags are its references: made when an entry is filled, not when it is read. */
export function open({ capacity, load, tags }: Setting): Contender {
  const cache = createCache({
    ttl: TTL_SECONDS,
    storage: { type: 'memory', options: { size: capacity, invalidation: tags !== undefined } },
  });
  const { user } = cache.define(
    'user',
    tags === undefined ? {} : { references: (key: string) => tags(key) },
    (key: string) => load(key),
  );
  return { read: ({ key }) => user(key), invalidate: (tag) => cache.invalidateAll(tag) };
}
