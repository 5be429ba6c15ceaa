import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everything, memoryStore } from '../index.ts';
import type { Store } from '../cache/store.ts';
import { alteredStore } from './altered-store.ts';
import { CaseList } from './case-list.ts';
import { FakeClock } from './fake-clock.ts';
import { storeContract, type StoreSubject } from './store-contract.ts';

const runner = { describe, it, beforeEach, afterEach };

/** A store in memory on a clock of its own, some of its methods replaced. */
function open(alter: (store: Store) => Partial<Store> = () => ({})): StoreSubject {
  const clock = new FakeClock();
  const store = memoryStore({ reclaim: 'eager' })({ clock });
  return { store: alteredStore(store, alter(store)), elapse: (ms) => clock.advance(ms) };
}

storeContract(runner, {
  name: 'memoryStore keeps the contract',
  open: () => open(),
  close: ({ store }) => store.close(),
});

storeContract(runner, {
  name: 'a store that does not reclaim keeps the contract',
  open: () => {
    const clock = new FakeClock();
    return { store: memoryStore()({ clock }), elapse: (ms) => clock.advance(ms) };
  },
  close: ({ store }) => store.close(),
});

describe('the store contract finds', () => {
  it.each<[string, (store: Store) => Partial<Store>, string]>([
    [
      'answers in another order',
      (store) => ({ getMany: async (keys) => (await store.getMany(keys)).toReversed() }),
      'answers in the order of the keys, undefined where there is nothing',
    ],
    [
      'answers that leave out what is absent',
      (store) => ({ getMany: async (keys) => (await store.getMany(keys)).filter(Boolean) }),
      'answers in the order of the keys, undefined where there is nothing',
    ],
    [
      'bytes that went through a text',
      (store) => ({ set: (key, bytes, ttl) => store.set(key, Buffer.from(Buffer.from(bytes).toString()), ttl) }),
      'keeps bytes as they are',
    ],
    [
      'a view taken for its whole buffer',
      (store) => ({ set: (key, bytes, ttl) => store.set(key, new Uint8Array(bytes.buffer), ttl) }),
      'keeps bytes as they are',
    ],
    [
      'entries without an end',
      (store) => ({ set: (key, bytes) => store.set(key, bytes, 1e12) }),
      'keeps bytes no longer than their time',
    ],
    [
      'a time in seconds',
      (store) => ({ set: (key, bytes, ttl) => store.set(key, bytes, Math.ceil(ttl / 1000) * 1000) }),
      'keeps bytes no longer than their time',
    ],
    [
      'a refused fraction',
      (store) => ({
        set: async (key, bytes, ttl) => {
          if (!Number.isInteger(ttl)) throw new Error('ERR value is not an integer');
          await store.set(key, bytes, ttl);
        },
      }),
      'takes a time that is not a whole number: jitter makes such',
    ],
    [
      'a count of what was asked for',
      (store) => ({
        remove: async (keys) => {
          await store.remove(keys);
          return keys.length;
        },
      }),
      'removes, and counts what there was',
    ],
    [
      'a removal by pattern',
      (store) => ({ remove: async (keys) => (await store.remove(keys.includes('*') ? MATCHED : keys)) && keys.length }),
      'removes the keys that were named, and no others',
    ],
    [
      'keys cut short',
      (store) => ({
        getMany: (keys) => store.getMany(keys.map((key) => key.slice(0, 1000))),
        set: (key, bytes, ttl) => store.set(key.slice(0, 1000), bytes, ttl),
      }),
      'tells odd keys apart',
    ],
    [
      'keys made equal by Unicode',
      (store) => ({
        getMany: (keys) => store.getMany(keys.map((key) => key.normalize())),
        set: (key, bytes, ttl) => store.set(key.normalize(), bytes, ttl),
      }),
      'tells odd keys apart',
    ],
    [
      'labels that are ignored',
      (store) => ({ set: (key, bytes, ttl) => store.set(key, bytes, ttl) }),
      'reclaims the entries of a tag',
    ],
    [
      'a key without what is below it',
      (store) => ({ reclaim: (targets) => store.remove(targets.flatMap((it) => (it.kind === 'key' ? [it.key] : []))) }),
      'reclaims a key and everything below it',
    ],
    [
      'a pattern taken for everything',
      (store) => ({ reclaim: async () => (await store.reclaim?.([everything()])) ?? 0 }),
      'reclaims what matches a pattern, as people read keys',
    ],
    [
      'a count of targets',
      (store) => ({
        reclaim: async (targets) => {
          await store.reclaim?.(targets);
          return targets.length;
        },
      }),
      'reclaims what several targets cover, and counts it once',
    ],
  ])('%s', async (_, alter, name) => {
    const list = new CaseList();
    storeContract(list, { name: 'broken', open: () => open(alter) });
    expect([...(await list.failures()).keys()]).toContain(name);
  });
});

const MATCHED = ['*', 'a', 'A', 'a*', ':'];
