import { createCache } from 'cache-manager';
import { KeyvCacheableMemory } from 'cacheable';
import { Keyv } from 'keyv';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS } from '../workload.ts';

/** On the store that its documentation proposes for memory; values by reference, as in the others. */
export function open({ capacity, load }: Setting): Contender {
  const store = new Keyv({ store: new KeyvCacheableMemory({ lruSize: capacity, useClone: false }) });
  store.serialize = undefined;
  store.deserialize = undefined;
  const cache = createCache({ stores: [store], ttl: TTL_SECONDS * 1_000 });
  return { read: ({ key }) => cache.wrap(key, () => load(key)) };
}
