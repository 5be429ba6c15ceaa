import { type Cache, key } from 'tidemark';

/** A table whose rows are cached; the same for all instances. */
export class Rows {
  readonly #values = new Map<string, string>();
  loads = 0;

  /** Reads through one instance's cache. */
  read(cache: Cache, id: string): Promise<string> {
    return cache.getOrSet(['row', id], () => {
      this.loads++;
      return this.#values.get(id) ?? 'old';
    });
  }

  /** @returns when its invalidation has its receipt */
  async write(cache: Cache, id: string, value = 'new'): Promise<void> {
    this.#values.set(id, value);
    await cache.invalidate(key('row', id));
  }
}
