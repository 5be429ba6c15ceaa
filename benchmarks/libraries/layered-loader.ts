import { Loader } from 'layered-loader';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS, type Value } from '../workload.ts';

export function open({ capacity, load }: Setting): Contender {
  const loader = new Loader<Value>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: TTL_SECONDS * 1_000, maxItems: capacity },
    dataSourceGetOneFn: load,
  });
  return {
    read: ({ key }) => loader.get(key) as Promise<Value>,
    peek: ({ key }) => loader.getInMemoryOnly(key) as Value | undefined,
  };
}
