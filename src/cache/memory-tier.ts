import { LRUCache } from 'lru-cache';
import { deepFreeze } from './freeze.ts';
import type { Entry } from './entry.ts';
import { ENTRY_WEIGHT, weigh } from './weight.ts';

export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Entries in this process (L1), bounded by number and by weight; the least recently used goes first. It keeps what it
 * can and judges nothing: expired and covered entries may still stand in where a reader tolerates it.
 */
export class MemoryTier {
  readonly #entries: LRUCache<string, Entry>;
  readonly #freeze: boolean;

  constructor(limits: MemoryLimits, freeze: boolean, evicted: (key: string) => void) {
    this.#entries = new LRUCache({
      max: limits.maxEntries,
      maxSize: limits.maxBytes,
      dispose: (_entry, key, reason) => {
        if (reason === 'evict') evicted(key);
      },
    });
    this.#freeze = freeze;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What all values weigh, in bytes, as estimated. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Keeps the entry, unless the one that is there was marked later in the same epoch. */
  put(key: string, entry: Entry): void {
    const known = this.#entries.peek(key);
    if (known !== undefined && known.epoch === entry.epoch && known.mark > entry.mark) return;
    if (this.#freeze) deepFreeze(entry.value);
    this.#entries.set(key, entry, { size: ENTRY_WEIGHT + key.length * 2 + weigh(entry.value) });
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
