import type { Lease, LeaseAnswer } from '../../src/cache/lease.ts';
import type { Store } from '../../src/cache/store.ts';
import type { Channel } from './channel.ts';
import type { ValueServer } from './value-server.ts';

/** A deadline beyond that of the cache itself, in ms: the connection is given up only when it is certainly dead. */
const DEADLINE = 400;

/** The shared store as one process reaches it. */
export class ValueClient implements Store {
  readonly #channel: Channel<ValueServer>;

  constructor(channel: Channel<ValueServer>) {
    this.#channel = channel;
  }

  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#ask((server) => keys.map((key) => server.get(key)));
  }

  async set(key: string, bytes: Uint8Array, ttl: number): Promise<void> {
    await this.#ask((server) => server.set(key, bytes, ttl));
  }

  remove(keys: readonly string[]): Promise<number> {
    return this.#ask((server) => keys.filter((key) => server.remove(key)).length);
  }

  close(): Promise<void> {
    this.#channel.cut(false);
    return Promise.resolve();
  }

  #ask<T>(command: (server: ValueServer) => T): Promise<T> {
    return askValues(this.#channel, command);
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

function askValues<T>(channel: Channel<ValueServer>, command: (server: ValueServer) => T): Promise<T> {
  return channel.request<T>((server, _session, reply) => {
    try {
      server.mayFail();
    } catch (error) {
      return reply(error as Error);
    }
    reply(undefined, command(server));
  }, DEADLINE);
}
