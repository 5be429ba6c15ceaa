import { LRUCache } from 'lru-cache';
import type { Contender, Setting } from '../contender.ts';
import { TTL_SECONDS, type Value } from '../workload.ts';

/** The read-through of lru-cache itself. */
export function open({ capacity, load }: Setting): Contender {
  const cache = new LRUCache<string, Value>({ max: capacity, ttl: TTL_SECONDS * 1_000, fetchMethod: load });
  return { read: ({ key }) => cache.fetch(key) };
}
