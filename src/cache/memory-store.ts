import { LRUCache } from 'lru-cache';
import type { Clock } from '../coherence/clock.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { globMatches } from '../coherence/glob.ts';
import { plainKey } from '../coherence/key.ts';
import { entryLabels, type Label, sameLabel } from '../coherence/label.ts';
import type { PartContext } from '../coherence/part.ts';
import { coverageOf } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';
import type { Store } from './store.ts';

interface Held {
  readonly bytes: Uint8Array;
  readonly labels: readonly Label[];
  /** On the monotonic clock, in ms. */
  readonly until: number;
}

/**
 * A store in this process's memory: for tests, examples, and several caches of one process that share values: make it
 * once, and hand it to each. It is emptied when the last of them has closed it.
 *
 * @param options `maxEntries`: how many entries it holds before the least recently used go (default 10,000);
 * `reclaim: 'eager'`: each invalidation looks at all entries and drops those that it covers (default `'lazy'`)
 * @throws TidemarkError `INVALID_OPTION` unless `maxEntries` is a positive integer, and `reclaim` one of the two
 */
export function memoryStore(
  options: { readonly maxEntries?: number; readonly reclaim?: 'lazy' | 'eager' } = {},
): (context: Pick<PartContext, 'clock'>) => Store {
  const { maxEntries = 10_000, reclaim = 'lazy' } = options;
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new TidemarkError(
      'INVALID_OPTION',
      `memoryStore maxEntries: ${shorten(maxEntries)} is not a positive integer.`,
    );
  }
  if (reclaim !== 'lazy' && reclaim !== 'eager') {
    throw new TidemarkError(
      'INVALID_OPTION',
      `memoryStore reclaim: ${shorten(reclaim)} is neither 'lazy' nor 'eager'.`,
    );
  }
  let shared: Store | undefined;
  let users = 0;
  return ({ clock }) => {
    users++;
    shared ??= makeStore(maxEntries, reclaim === 'eager', clock, () => --users === 0);
    return shared;
  };
}

function makeStore(maxEntries: number, eager: boolean, clock: Clock, isLast: () => boolean): Store {
  const held = new LRUCache<string, Held>({ max: maxEntries });
  const get = (key: string): Uint8Array | undefined => {
    const found = held.get(key);
    if (found === undefined || clock.monotonic() < found.until) return found?.bytes;
    held.delete(key);
    return undefined;
  };
  const forget = (keys: readonly string[]): number =>
    keys.filter((key) => get(key) !== undefined && held.delete(key)).length;
  return {
    getMany: (keys) => Promise.resolve(keys.map(get)),
    set: (key, bytes, ttl, labels = eager ? entryLabels(key, []) : []) => {
      held.set(key, { bytes, labels, until: clock.monotonic() + ttl });
      return Promise.resolve();
    },
    remove: (keys) => Promise.resolve(forget(keys)),
    ...(eager ? { reclaim: (targets) => Promise.resolve(forget(covered(held, targets))) } : {}),
    close: () => {
      if (isLast()) held.clear();
      return Promise.resolve();
    },
  };
}

function covered(held: LRUCache<string, Held>, targets: readonly Target[]): string[] {
  const { kind, labels, patterns } = coverageOf(targets);
  const found: string[] = [];
  for (const [key, entry] of held.entries()) {
    const labelled = entry.labels.some((label) => labels.some((other) => sameLabel(label, other)));
    const matched = patterns.some((pattern) => globMatches(pattern, plainKey(key)));
    if (kind === 'everything' || labelled || matched) found.push(key);
  }
  return found;
}
