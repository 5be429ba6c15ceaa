import { LRUCache } from 'lru-cache';
import type { Contender, Setting } from '../contender.ts';
import { keyOf, type Value } from '../workload.ts';

/** The bare LRU under the same condition as a typed query: the reader has an id, and no key. */
export function open({ capacity, load }: Setting): Contender {
  const cache = new LRUCache<string, Value>({ max: capacity });
  const fill = async (key: string): Promise<Value> => {
    const value = await load(key);
    cache.set(key, value);
    return value;
  };
  const read = (key: string): Value | Promise<Value> => cache.get(key) ?? fill(key);
  return { read: ({ id }) => read(keyOf(id)), peek: ({ id }) => cache.get(keyOf(id)) };
}
