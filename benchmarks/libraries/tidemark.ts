import { createCache, tag } from 'tidemark';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS } from '../workload.ts';

/** The read that takes any key. */
export function open({ capacity, load, tags }: Setting): Contender {
  const cache = createCache({
    name: 'bench',
    memory: { maxEntries: capacity, maxBytes: '4gb' },
    defaults: { ttl: TTL_SECONDS * 1_000 },
  });
  return {
    read:
      tags === undefined
        ? ({ key }) => cache.getOrSet(key, () => load(key))
        : ({ key }) => cache.getOrSet(key, () => load(key), { tags: tags(key) }),
    invalidate: (name) => cache.invalidate(tag(name)),
  };
}
