import type { Store } from '../cache/store.ts';

/** A store of which a test replaces some methods, now or later by assignment; the others pass on. */
export function alteredStore(store: Store, methods: Partial<Store> = {}): { -readonly [M in keyof Store]: Store[M] } {
  return {
    getMany: (keys) => store.getMany(keys),
    set: (key, bytes, ttl) => store.set(key, bytes, ttl),
    remove: (keys) => store.remove(keys),
    close: () => store.close(),
    ...methods,
  };
}
