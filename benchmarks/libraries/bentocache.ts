import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS } from '../workload.ts';

/** Values by reference, as in the others: by default it keeps JSON and parses it on every read. */
export function open({ capacity, load, tags }: Setting): Contender {
  const cache = new BentoCache({
    default: 'memory',
    ttl: TTL_SECONDS * 1_000,
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: capacity, serialize: false })) },
  });
  return {
    read:
      tags === undefined
        ? ({ key }) => cache.getOrSet({ key, factory: () => load(key) })
        : ({ key }) => cache.getOrSet({ key, factory: () => load(key), tags: tags(key) }),
    invalidate: (tag) => cache.deleteByTag({ tags: [tag] }),
  };
}
