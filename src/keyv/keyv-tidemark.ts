import type { KeyvStoreAdapter, StoredData } from 'keyv';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { NO_GUARD_REMOVED, type RemovedGuards } from '../coherence/guards.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { type Cache, type Clock, key as keyTarget, systemClock, type Target, type Token } from '../index.ts';
import { KeptKeys } from './kept-keys.ts';
import { Misses } from './misses.ts';

export interface KeyvTidemarkOptions {
  /** Where values are kept. It stays yours to close. */
  readonly cache: Cache;
  /** The first segment of all keys, default `'keyv'`. */
  readonly root?: string;
  /** From a miss to the `set` of what was loaded at most, default `'30s'`. Make it longer than your slowest load. */
  readonly loadTime?: Duration;
  /** `false`: every `set` is a write, also after a miss. Default `true`: one after a miss brings what was loaded. */
  readonly fills?: boolean;
  /** For tests. */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

const NAMES = ['cache', 'root', 'loadTime', 'fills', 'clock'];

/** What has no TTL, or a longer one, is kept for so long, in ms; `maxLife` of the log ends earlier. */
const FOR_GOOD = 365 * 86_400_000;

/** Longest text that is a segment as it is; longer ones are hashed. Each of its characters may have to be escaped. */
const LONGEST = 400;

/**
 * A store for Keyv whose values are coherent: `new Keyv({ store: new KeyvTidemark({ cache }) })`. One for each Keyv.
 *
 * What Keyv's users do without a mark is given one:
 *
 * - A `set` after a `get` that found nothing brings what was loaded meanwhile. Its mark is that of the miss, so a value that was
 *   read before an invalidation is not kept, whoever invalidated, on whatever node.
 * - Any other `set` is a write: it is appended to the log like an invalidation, and kept as of its own record.
 * - `delete` and `clear` are invalidations, of one key and of one namespace.
 *
 * It does not promise that what was set is found again; and a load that takes longer than `loadTime` it takes for a write.
 *
 * @throws TidemarkError `INVALID_OPTION`
 */
export class KeyvTidemark implements KeyvStoreAdapter {
  /** Keyv gives an iterator to stores of known dialects only; which of them makes no difference. */
  readonly opts: { dialect: string; [option: string]: unknown } = { dialect: 'redis' };
  readonly #cache: Cache;
  readonly #root: string;
  readonly #misses: Misses | undefined;
  readonly #kept = new KeptKeys();
  readonly #marked: boolean;
  /** Those that Keyv has named; the last is the current one. */
  readonly #namespaces: string[] = [];

  /** @param removed guards taken out by the simulation, to show that each is needed */
  constructor(options: KeyvTidemarkOptions, removed: RemovedGuards = NO_GUARD_REMOVED) {
    checkKnown(options, NAMES, 'KeyvTidemark');
    const { cache, root = 'keyv', loadTime = '30s', fills = true, clock = systemClock } = options;
    const given: unknown = cache;
    if (typeof given !== 'object' || given === null || !('invalidate' in given))
      throw new TidemarkError('INVALID_OPTION', `cache: ${shorten(given)} is no cache. Give what createCache() made.`);
    keyTarget([root]);
    this.#cache = cache;
    this.#root = root;
    const ms = milliseconds(loadTime, 'loadTime');
    this.#marked = !removed.has('missMark');
    this.#misses = fills ? new Misses(ms, () => clock.monotonic(), !removed.has('missOldest')) : undefined;
  }

  get namespace(): string | undefined {
    return this.#namespaces.at(-1);
  }

  /** Keyv sets it, and puts it before each key. */
  set namespace(name: string | undefined) {
    if (name === undefined) this.#namespaces.length = 0;
    else this.#namespaces.splice(0, Infinity, ...this.#namespaces.filter((it) => it !== name), name);
  }

  /**
   * What Keyv keeps under a key, as a target for `cache.invalidate`, rules and transactions; without a key the whole namespace.
   *
   * @param key as Keyv's users write it, without the namespace
   * @example await cache.invalidate(store.at('user:42'))
   */
  at(key?: string): Target {
    const path = [this.#root, this.namespace ?? ''];
    return keyTarget(key === undefined ? path : [...path, segmentOf(key)]);
  }

  async get<Value>(name: string): Promise<StoredData<Value> | undefined> {
    const found = await this.#cache.get<StoredData<Value>>(this.#path(name));
    // Taken before whoever asked can have begun to load.
    if (found === undefined) this.#misses?.note(name, this.#cache.mark());
    return found;
  }

  getMany<Value>(names: string[]): Promise<StoredData<Value | undefined>[]> {
    return Promise.all(names.map((name) => this.get<Value>(name)));
  }

  /** @returns whether it is kept */
  async set(name: string, value: unknown, ttl?: number): Promise<boolean> {
    const path = this.#path(name);
    const missed = this.#misses?.take(name);
    const mark = missed === undefined ? await this.#write(path) : this.#marked ? missed : this.#cache.mark();
    const kept = mark !== undefined && this.#cache.set(path, value, { mark, ttl: Math.min(ttl ?? FOR_GOOD, FOR_GOOD) });
    if (kept) this.#kept.add(name);
    return kept;
  }

  has(name: string): Promise<boolean> {
    return this.#cache.has(this.#path(name));
  }

  /** @returns whether there was something. It is invalidated everywhere, in any case. */
  async delete(name: string): Promise<boolean> {
    const path = this.#path(name);
    const known = await this.#cache.has(path);
    await this.#cache.invalidate(keyTarget(path));
    this.#kept.remove(name);
    return known;
  }

  async deleteMany(names: string[]): Promise<boolean> {
    return (await Promise.all(names.map((name) => this.delete(name)))).every(Boolean);
  }

  async clear(): Promise<void> {
    await this.#cache.invalidate(this.at());
    this.#kept.clear(prefixOf(this.namespace));
  }

  /** What this process has set, the last 10,000 keys of it, as far as it may be served: no server is searched for keys. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    for (const name of this.#kept.below(prefixOf(namespace))) {
      const value = await this.#cache.get<Awaited<Value>>(this.#path(name));
      if (value !== undefined) yield [name, value];
    }
  }

  /** There is nothing to hear: what fails in the cache is an event of the cache. */
  on(_event: string, _listener: (...args: unknown[]) => void): this {
    return this;
  }

  /** The cache stays open: it is whose it was. */
  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  /** The mark of a write: its own record. What the log has not taken cannot be kept. */
  async #write(path: readonly unknown[]): Promise<Token | undefined> {
    const { status, token } = await this.#cache.invalidate(keyTarget(path));
    return status === 'queued' ? undefined : token;
  }

  /** A key is one segment below its namespace, whatever it holds: to delete one deletes no other. */
  #path(name: string): unknown[] {
    const namespace = this.#namespaces.findLast((it) => name.startsWith(prefixOf(it)));
    if (namespace === undefined) return [this.#root, '', segmentOf(name)];
    return [this.#root, namespace, segmentOf(name.slice(prefixOf(namespace).length))];
  }
}

function prefixOf(namespace: string | undefined): string {
  return namespace === undefined ? '' : `${namespace}:`;
}

/** An object is hashed as a segment. */
function segmentOf(key: string): unknown {
  return key.length <= LONGEST ? key : { key };
}
