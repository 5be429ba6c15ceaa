import type { Store, StoredEntry } from '../cache/store.ts';
import { entryLabels, type Label } from '../coherence/label.ts';
import type { Target } from '../coherence/target.ts';
import type { Argument, Commands, Reply } from './connection.ts';
import { IndexSets } from './index-sets.ts';
import type { RedisKeys } from './keys.ts';
import { bytesOf, numberOf } from './reply.ts';

export interface RedisStoreParts {
  readonly keys: RedisKeys;
  readonly commands: Commands;
  /** Keep index sets, so that `reclaim` finds entries. */
  readonly eager: boolean;
  /** Called when the store is closed: what it uses may be shared. */
  readonly release: () => void;
}

/** Most keys of one command: a server does nothing else meanwhile. */
const BATCH = 1_000;

const YEAR = 365 * 86_400_000;

/**
 * Values on a Redis server, or spread over a Cluster: one round trip to read any number of keys, one to write, no script.
 */
export class RedisStore implements Store {
  readonly system: string = 'redis';
  readonly #parts: RedisStoreParts;
  /** Only where one server has all keys, and no index sets are kept. */
  readonly setMany?: (entries: readonly StoredEntry[]) => Promise<readonly (Error | undefined)[]>;
  /** Only when index sets are kept. */
  readonly reclaim?: (targets: readonly Target[]) => Promise<number>;
  readonly #index: IndexSets | undefined;

  constructor(parts: RedisStoreParts) {
    this.#parts = parts;
    const { commands } = parts;
    if (!parts.eager && commands.sendAll !== undefined) {
      const send = commands.sendAll.bind(commands);
      this.setMany = (entries) => this.#setTogether(send, entries);
    }
    if (!parts.eager) return;
    const index = new IndexSets(parts);
    this.#index = index;
    this.reclaim = (targets) => this.#reclaim(index, targets);
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const names = this.#names(keys);
    const replies = this.#parts.commands.spread ? await this.#getEach(names) : await this.#getBatches(names);
    return replies.map((reply) => (reply === null || reply === undefined ? undefined : bytesOf(reply)));
  }

  async set(key: string, bytes: Uint8Array, ttl: number, labels?: readonly Label[]): Promise<void> {
    const name = this.#parts.keys.value(key);
    const time = timeOf(ttl);
    const set = this.#parts.commands.send(name, setting(name, bytes, time));
    await (this.#index === undefined || time < 1
      ? set
      : Promise.all([set, this.#index.add(key, time, labels ?? entryLabels(key, []))]));
  }

  /** @param send of commands that are there */
  #setTogether(
    send: Required<Commands>['sendAll'],
    entries: readonly StoredEntry[],
  ): Promise<readonly (Error | undefined)[]> {
    const { keys } = this.#parts;
    return send(entries.map(({ key, bytes, ttl }) => setting(keys.value(key), bytes, timeOf(ttl))));
  }

  async remove(keys: readonly string[]): Promise<number> {
    const { commands } = this.#parts;
    const names = this.#names(keys);
    const groups = commands.spread ? names.map((name) => [name]) : batches(names);
    const counts = groups.map((group) => commands.send(group[0] as string, ['UNLINK', ...group]));
    return (await Promise.all(counts)).reduce<number>((sum, count) => sum + numberOf(count), 0);
  }

  async close(): Promise<void> {
    this.#parts.release();
  }

  #names(keys: readonly string[]): string[] {
    const { keys: naming } = this.#parts;
    return keys.map((key) => naming.value(key));
  }

  async #getBatches(names: readonly string[]): Promise<readonly Reply[]> {
    const { commands } = this.#parts;
    const replies = batches(names).map(async (batch): Promise<readonly Reply[]> => {
      const first = batch[0] as string;
      if (batch.length === 1) return [await commands.send(first, ['GET', first])];
      return (await commands.send(first, ['MGET', ...batch])) as readonly Reply[];
    });
    return (await Promise.all(replies)).flat(1);
  }

  /** What one server of a Cluster does not answer is not found; the others' answers stand, unless there are none. */
  async #getEach(names: readonly string[]): Promise<readonly Reply[]> {
    const { commands } = this.#parts;
    const replies = await Promise.allSettled(names.map((name) => commands.send(name, ['GET', name])));
    if (replies.length > 0 && replies.every((reply) => reply.status === 'rejected')) throw replies[0]?.reason;
    return replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : null));
  }

  /** Chunk by chunk: between them the server answers others. */
  async #reclaim(index: IndexSets, targets: readonly Target[]): Promise<number> {
    let removed = 0;
    for await (const keys of index.take(targets)) removed += await this.remove(keys);
    return removed;
  }
}

/** Less than a millisecond is no time for Redis, and what is not a number is none at all. */
function timeOf(ttl: number): number {
  const time = Math.floor(Math.min(ttl, YEAR));
  return time >= 1 ? time : 0;
}

function setting(name: string, bytes: Uint8Array, time: number): readonly Argument[] {
  return time < 1 ? ['UNLINK', name] : ['SET', name, bytes, 'PX', String(time)];
}

function batches(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / BATCH);
  return Array.from({ length: count }, (_, i) => names.slice(i * BATCH, (i + 1) * BATCH));
}
