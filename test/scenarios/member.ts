import {
  type Cache,
  type CacheEvent,
  type CacheOptions,
  createCache,
  type Query,
  type ReadOptions,
  type Receipt,
  type Target,
} from '../../src/index.ts';
import { redis, type RedisOptions } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import type { Truth } from './truth.ts';

/** Where a row is, and whether a tier may serve it. */
export type Read = Awaited<ReturnType<Query<[string], number>['read']>>;

/** A node of the fleet in a story; each of its reads is held to what it is owed. */
export class Member {
  readonly cache: Cache;
  readonly rows: Query<[string], number>;
  readonly events: CacheEvent[] = [];
  /** The longest that a read has taken, in ms. */
  slowest = 0;
  readonly #truth: Truth;

  constructor(truth: Truth, on: RedisOptions, options: CacheOptions) {
    this.#truth = truth;
    this.cache = createCache({ ...options, ...redis(on) });
    this.cache.on((event) => void this.events.push(event));
    this.rows = this.cache.query({
      name: 'row',
      load: (row: string) => truth.load(row),
      tags: (row) => [`tag-of-${row}`],
    });
  }

  get attached(): boolean {
    return this.cache.status().attached;
  }

  /** How often something of this type has happened. */
  count(type: CacheEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** Ids of what was queued and has not been sent since. */
  unsent(): string[] {
    const ids = (type: 'queued' | 'sent'): string[] =>
      this.events.flatMap((event) => (event.type === type ? [event.draft.id] : []));
    const sent = new Set(ids('sent'));
    return ids('queued').filter((id) => !sent.has(id));
  }

  async read(row: string, options: ReadOptions = {}): Promise<Read> {
    const owed = this.#truth.owed(this, row);
    const began = performance.now();
    const read = await this.rows.with(options).read(row);
    this.slowest = Math.max(this.slowest, performance.now() - began);
    this.#truth.judge(row, read.value, owed);
    return read;
  }

  /** Commits a version and invalidates it, by its key or by something else that covers it. */
  async write(row: string, target: Target = this.rows.at(row)): Promise<Receipt> {
    const version = this.#truth.commit(row);
    const receipt = await this.cache.invalidate(target);
    this.#truth.acknowledge(this, row, version, receipt.status !== 'queued');
    return receipt;
  }

  /** Resolves when it is attached and has nothing to send. */
  async ready(): Promise<void> {
    const isReady = (): boolean => this.attached && this.cache.status().queued === 0;
    await waitUntil(isReady, { timeout: 30_000, what: 'a node to be attached' });
  }
}
