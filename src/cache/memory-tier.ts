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
  readonly #covered: (place: string, entry: Entry) => boolean;
  #generation = 0;
  /** Entries put in this generation. */
  #puts = 0;

  constructor(
    limits: MemoryLimits,
    freeze: boolean,
    evicted: (place: string, entry: Entry) => void,
    covered: (place: string, entry: Entry) => boolean,
  ) {
    this.#covered = covered;
    this.#entries = new LRUCache({
      max: limits.maxEntries,
      maxSize: limits.maxBytes,
      dispose: (entry, place, reason) => {
        if (reason === 'evict') evicted(place, entry);
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

  /**
   * The entry, which counts as used. It moves to the young end at most once in a generation, which lasts until a sixteenth
   * of the number that is here has been put: an entry that is hit once in each is never evicted, and most hits write
   * nothing. ("Lazy promotion", Yang et al., HotOS 2023.)
   */
  get(place: string): Entry | undefined {
    const entry = this.#entries.peek(place);
    if (entry !== undefined && entry.generation !== this.#generation) {
      entry.generation = this.#generation;
      this.#entries.get(place);
    }
    return entry;
  }

  /** The entry, without counting as use. */
  peek(place: string): Entry | undefined {
    return this.#entries.peek(place);
  }

  /**
   * Keeps the entry, unless the one that is there is better: marked later in the same epoch, fresh for as long, and not
   * covered. One that was marked later can be covered all the same, by a tag that only it was read with; it must not keep
   * out what can be served.
   */
  put(place: string, entry: Entry): void {
    const known = this.#entries.peek(place);
    const better = known !== undefined && known.epoch === entry.epoch && known.mark > entry.mark;
    if (better && known.freshUntil >= entry.freshUntil && !this.#covered(place, known)) return;
    if (this.#freeze) deepFreeze(entry.value);
    if (++this.#puts * 16 >= this.#entries.size) {
      this.#generation++;
      this.#puts = 0;
    }
    entry.generation = this.#generation;
    this.#entries.set(place, entry, { size: ENTRY_WEIGHT + place.length * 2 + weigh(entry.value) });
  }

  /** Every entry, the least recently used first; looking at them does not count as use, and they may be removed meanwhile. */
  oldestFirst(): IterableIterator<[string, Entry]> {
    return this.#entries.rentries() as IterableIterator<[string, Entry]>;
  }

  remove(place: string): void {
    this.#entries.delete(place);
  }

  clear(): void {
    this.#entries.clear();
  }
}
