import type { Lease, LeaseAnswer } from '../../src/cache/lease.ts';
import type { Store, StoredEntry } from '../../src/cache/store.ts';
import type { Channel, Session } from './channel.ts';
import type { Counts } from './coverage.ts';
import type { ValueServer } from './value-server.ts';

/** A deadline beyond that of the cache itself, in ms: the connection is given up only when it is certainly dead. */
const DEADLINE = 400;

/** The shared store as one process reaches it, which takes one value by each request. */
export class ValueClient implements Store {
  readonly #channel: Channel<ValueServer>;
  protected readonly counts: Counts;

  constructor(channel: Channel<ValueServer>, counts: Counts) {
    this.#channel = channel;
    this.counts = counts;
  }

  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.ask((server) => keys.map((key) => server.get(key)));
  }

  async set(key: string, bytes: Uint8Array, ttl: number): Promise<void> {
    this.counts.add('store write', 'alone');
    await this.ask((server) => server.set(key, bytes, ttl));
  }

  remove(keys: readonly string[]): Promise<number> {
    return this.ask((server) => keys.filter((key) => server.remove(key)).length);
  }

  close(): Promise<void> {
    this.#channel.cut(false);
    return Promise.resolve();
  }

  protected ask<T>(command: (server: ValueServer, session: Session) => T): Promise<T> {
    return askValues(this.#channel, command);
  }
}

/** The shared store, which takes all values of a turn by one request. Now and then only a part of them arrives. */
export class BatchingValueClient extends ValueClient {
  async setMany(entries: readonly StoredEntry[]): Promise<readonly (Error | undefined)[]> {
    this.counts.add('store write', `together: ${entries.length}`);
    const { kept, by } = await this.ask((server, session) => {
      const outcome = server.setMany(entries);
      if (outcome.by !== 'none') this.counts.add('store write', `in part: ${outcome.by}`);
      // Whoever has asked hears no answer: it knows of none of them whether it is there.
      if (outcome.by === 'cut') session.close(outcome.kept % 2 === 0);
      return outcome;
    });
    return entries.map((_, i) => (by === 'refused' && i >= kept ? new Error('OOM: the store is full') : undefined));
  }
}

/** The fleet's leases as one process reaches them. */
export class LeaseClient implements Lease {
  readonly #channel: Channel<ValueServer>;

  constructor(channel: Channel<ValueServer>) {
    this.#channel = channel;
  }

  async acquire(key: string, time: number): Promise<LeaseAnswer> {
    const answer = await askValues(this.#channel, (server) => server.acquire(key, time));
    if ('wait' in answer) return { granted: false, wait: answer.wait };
    const { holder } = answer;
    return {
      granted: true,
      release: () => askValues(this.#channel, (server) => server.release(key, holder)),
      extend: (more) => askValues(this.#channel, (server) => server.extend(key, holder, more)),
    };
  }
}

function askValues<T>(
  channel: Channel<ValueServer>,
  command: (server: ValueServer, session: Session) => T,
): Promise<T> {
  return channel.request<T>((server, session, reply) => {
    try {
      server.mayFail();
    } catch (error) {
      return reply(error as Error);
    }
    reply(undefined, command(server, session));
  }, DEADLINE);
}
