import { globMatches } from '../coherence/glob.ts';
import { plainKey } from '../coherence/key.ts';
import { keyLabel, type Label, labelText, sameLabel } from '../coherence/label.ts';
import { coverageOf } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';
import type { Argument, Commands, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { Script } from './script.ts';

export interface IndexSetsParts {
  readonly keys: RedisKeys;
  readonly commands: Commands;
}

/** Most members taken from a set, and most keys handed out, at once. */
const CHUNK = 250;

/** Most expired members that one write drops from a set. */
const PRUNED = 100;

/** Sets of labels that are asked at once: most have few members, or none. */
const TOGETHER = 16;

/**
 * The root index, which has all entries, in so many sets: one would be on a single server of a Cluster, and no command is
 * about more than a chunk of any.
 */
const SHARDS = 16;

/**
 * Where the entries of a label are: sorted sets of keys by the time at which they expire, one for each label that entries
 * share (tags, keys above them), and a root index of all entries, for patterns and for everything. A key alone needs no set.
 *
 * They are about memory, never about truth. A member may outlive its entry (evicted, overwritten, removed by another
 * label) until it expires; an entry may be missing when a node died between two commands or the server evicted a set, and
 * is then left to its TTL. An entry that is written first and indexed then, and taken out of its sets before it is
 * unlinked, is never lost to the index by two that run at once.
 */
export class IndexSets {
  readonly #parts: IndexSetsParts;
  readonly #add = new Script('index-add.lua');

  constructor(parts: IndexSetsParts) {
    this.#parts = parts;
  }

  /**
   * Enters an entry after its `SET`, in the same turn.
   *
   * @param ttl whole milliseconds
   */
  async add(key: string, ttl: number, labels: readonly Label[]): Promise<void> {
    const { keys, commands } = this.#parts;
    const own = keyLabel(key);
    const shared = labels.filter((label) => !sameLabel(label, own)).map((label) => keys.index(labelText(label)));
    const sets = [this.#shardOf(key), ...new Set(shared)];
    const args = [key, String(ttl), String(PRUNED)];
    const groups = commands.spread ? sets.map((set) => [set]) : [sets];
    await Promise.all(groups.map((group) => this.#add.run(this.#at(group[0] as string), group, args)));
  }

  /**
   * The keys of entries that targets cover, in chunks, taken out of the sets they were found in: whoever asks has to
   * unlink them. An entry may come twice, by two targets.
   */
  async *take(targets: readonly Target[]): AsyncGenerator<readonly string[]> {
    const { kind, labels, patterns } = coverageOf(targets);
    if (kind === 'everything') {
      for (const shard of this.#shards()) yield* this.#drain(shard);
      return;
    }
    for await (const found of this.#found(targets, labels, patterns)) {
      for (const chunk of chunks(found, CHUNK)) {
        await this.#leaveRoot(chunk);
        yield chunk;
      }
    }
  }

  async *#found(targets: readonly Target[], labels: readonly Label[], patterns: readonly string[]) {
    yield targets.flatMap((it) =>
      it.kind === 'key' ? [it.key, ...(it.literal === undefined ? [] : [it.literal])] : [],
    );
    const sets = [...new Set(labels.map((label) => this.#parts.keys.index(labelText(label))))];
    for (const group of chunks(sets, TOGETHER)) yield* this.#drainAll(group);
    if (patterns.length === 0) return;
    for (const shard of this.#shards()) yield* this.#matching(shard, patterns);
  }

  async *#drainAll(sets: readonly string[]): AsyncGenerator<readonly string[]> {
    const first = await Promise.all(sets.map((set) => this.#pop(set)));
    for (const [i, members] of first.entries()) {
      yield members;
      if (members.length === CHUNK) yield* this.#drain(sets[i] as string);
    }
  }

  /** Twice what there is now: fills that go on meanwhile must not keep it busy for ever. */
  async *#drain(set: string): AsyncGenerator<readonly string[]> {
    for (let most = 2 * numberOf(await this.#send(set, ['ZCARD', set])); most > 0; most -= CHUNK) {
      const members = await this.#pop(set);
      yield members;
      if (members.length < CHUNK) return;
    }
  }

  async #pop(set: string): Promise<string[]> {
    return membersOf(await this.#send(set, ['ZPOPMIN', set, String(CHUNK)]));
  }

  async *#matching(shard: string, patterns: readonly string[]): AsyncGenerator<readonly string[]> {
    let cursor = '0';
    do {
      const [next, found] = listOf(await this.#send(shard, ['ZSCAN', shard, cursor, 'COUNT', String(CHUNK)]));
      cursor = textOf(next);
      yield membersOf(found).filter((key) => patterns.some((pattern) => globMatches(pattern, plainKey(key))));
    } while (cursor !== '0');
  }

  async #leaveRoot(found: readonly string[]): Promise<void> {
    const shards = new Map<string, string[]>();
    for (const key of found) {
      const shard = this.#shardOf(key);
      const members = shards.get(shard);
      if (members === undefined) shards.set(shard, [key]);
      else members.push(key);
    }
    await Promise.all([...shards].map(([shard, members]) => this.#send(shard, ['ZREM', shard, ...members])));
  }

  #shardOf(key: string): string {
    return this.#shard(keyLabel(key).low & (SHARDS - 1));
  }

  #shards(): string[] {
    return Array.from({ length: SHARDS }, (_, i) => this.#shard(i));
  }

  /** No label is written like this: they are 16 hexadecimal digits. */
  #shard(i: number): string {
    return this.#parts.keys.index(`root.${i}`);
  }

  #at(set: string): { send(args: readonly Argument[]): Promise<Reply> } {
    return { send: (args) => this.#send(set, args) };
  }

  #send(set: string, args: readonly Argument[]): Promise<Reply> {
    return this.#parts.commands.send(set, args);
  }
}

/** Members without their scores: a flat list of both, or a list of pairs (RESP3). */
function membersOf(reply: Reply | undefined): string[] {
  const list = listOf(reply);
  if (Array.isArray(list[0])) return list.map((pair) => textOf(listOf(pair)[0]));
  return list.filter((_, i) => i % 2 === 0).map(textOf);
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
