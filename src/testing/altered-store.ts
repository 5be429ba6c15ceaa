import type { Store } from '../cache/store.ts';

/** A store of which a test replaces some methods, now or later by assignment; the others pass on. */
export function alteredStore(store: Store, methods: Partial<Store> = {}): { -readonly [M in keyof Store]: Store[M] } {
  return {
    getMany: (keys) => store.getMany(keys),
    set: (key, bytes, ttl, labels) => store.set(key, bytes, ttl, labels),
    ...(store.setMany === undefined ? {} : { setMany: (entries) => store.setMany?.(entries) ?? Promise.resolve([]) }),
    remove: (keys) => store.remove(keys),
    ...(store.reclaim === undefined ? {} : { reclaim: (targets) => store.reclaim?.(targets) ?? Promise.resolve(0) }),
    close: () => store.close(),
    ...methods,
  };
}
