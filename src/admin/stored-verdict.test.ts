import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import { memoryStore } from '../cache/memory-store.ts';
import type { Store } from '../cache/store.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { systemClock } from '../cache/system-clock.ts';
import { storedVerdicts } from './stored-verdict.ts';

let store: Store;
let cache: Cache;
beforeEach(async () => {
  store = memoryStore()({ clock: systemClock });
  cache = createCache({ name: 'shop', log: memoryLog(), store });
  await cache.ready();
});
afterEach(() => cache.close());

async function kept(...keys: string[]): Promise<void> {
  for (const key of keys) await cache.getOrSet(key, () => ({ key }), { ttl: '1m' });
}

it('judges what the store has by the rule', async () => {
  await kept('a', 'b');
  await cache.delete('b');
  expect(await storedVerdicts(cache, ['a', 'b', 'c'])).toEqual([
    { key: 'a', version: 1, verdict: 'fresh' },
    { key: 'b', version: 1, verdict: 'label' },
    { key: 'c', verdict: 'gone' },
  ]);
});

it('tells apart what cannot be read from what did not come', async () => {
  await kept('a');
  await store.set('x', new Uint8Array([1, 2, 3]), 60_000);
  expect(await storedVerdicts(cache, ['x'])).toEqual([{ key: 'x', verdict: 'unreadable' }]);
  store.getMany = () => Promise.reject(new Error('gone away'));
  expect(await storedVerdicts(cache, ['a'])).toEqual([{ key: 'a', verdict: 'unknown' }]);
});
