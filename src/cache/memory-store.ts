import { LRUCache } from 'lru-cache';
import type { Clock } from '../coherence/clock.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { PartContext } from '../coherence/part.ts';
import type { Store } from './store.ts';

interface Held {
  readonly bytes: Uint8Array;
  /** On the monotonic clock, in ms. */
  readonly until: number;
}

/**
 * A store in this process's memory: for tests, examples, and several caches of one process that share values: make it
 * once, and hand it to each. It is emptied when the last of them has closed it.
 *
 * @param options `maxEntries`: how many entries it holds before the least recently used go (default 10,000)
 * @throws TidemarkError `INVALID_OPTION` unless `maxEntries` is a positive integer
 */
export function memoryStore(
  options: { readonly maxEntries?: number } = {},
): (context: Pick<PartContext, 'clock'>) => Store {
  const { maxEntries = 10_000 } = options;
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new TidemarkError(
      'INVALID_OPTION',
      `memoryStore maxEntries: ${shorten(maxEntries)} is not a positive integer.`,
    );
  }
  let shared: Store | undefined;
  let users = 0;
  return ({ clock }) => {
    users++;
    shared ??= makeStore(maxEntries, clock, () => --users === 0);
    return shared;
  };
}

function makeStore(maxEntries: number, clock: Clock, isLast: () => boolean): Store {
  const held = new LRUCache<string, Held>({ max: maxEntries });
  const get = (key: string): Uint8Array | undefined => {
    const found = held.get(key);
    if (found === undefined || clock.monotonic() < found.until) return found?.bytes;
    held.delete(key);
    return undefined;
  };
  return {
    getMany: (keys) => Promise.resolve(keys.map(get)),
    set: (key, bytes, ttl) => {
      held.set(key, { bytes, until: clock.monotonic() + ttl });
      return Promise.resolve();
    },
    remove: (keys) => Promise.resolve(keys.filter((key) => get(key) !== undefined && held.delete(key)).length),
    close: () => {
      if (isLast()) held.clear();
      return Promise.resolve();
    },
  };
}
