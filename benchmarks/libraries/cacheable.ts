import { Cacheable, createKeyv } from 'cacheable';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS, type Value } from '../workload.ts';

/** Values by reference, as in the others: by default it clones them. */
export function open({ capacity, load, tags }: Setting): Contender {
  const cache = new Cacheable({
    primary: createKeyv({ lruSize: capacity, useClone: false }),
    ttl: TTL_SECONDS * 1_000,
    tags: tags !== undefined,
  });
  if (tags === undefined) return { read: ({ key }) => cache.getOrSet(key, () => load(key)) };
  return {
    // `getOrSet` takes no tags.
    async read({ key }) {
      const known = await cache.get<Value>(key);
      if (known !== undefined) return known;
      const value = await load(key);
      await cache.set(key, value, { tags: tags(key) });
      return value;
    },
    invalidate: (tag) => cache.tags.invalidateTag(tag),
  };
}
