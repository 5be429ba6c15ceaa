import { LRUCache } from 'lru-cache';
import type { Contender, Setting } from '../contender.ts';
import type { Value } from '../workload.ts';

/** The bare LRU: what a read costs where nothing is promised. A reader of it has to write the read-through itself. */
export function open({ capacity, load }: Setting): Contender {
  const cache = new LRUCache<string, Value>({ max: capacity });
  const fill = async (key: string): Promise<Value> => {
    const value = await load(key);
    cache.set(key, value);
    return value;
  };
  return {
    read: ({ key }) => cache.get(key) ?? fill(key),
    peek: ({ key }) => cache.get(key),
  };
}
