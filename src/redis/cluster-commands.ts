import { TidemarkError } from '../coherence/errors.ts';
import { asWritten } from './client-connection.ts';
import type { Argument, Commands, Reply } from './connection.ts';

/** A driver's own client of a whole Cluster, which follows its redirections. */
export interface ClusterClient {
  /** Ends, either way, when the first attempt to connect has. Never rejects. */
  readonly tried: Promise<void>;
  send(key: string, args: readonly (string | Buffer)[]): Promise<Reply>;
  /** The server that has the key, as far as is known: any name for it. */
  serverOf(key: string): string;
  close(): void;
}

/** How long a server has to answer a probe, the pause before the next one, and how many fail before the client is made anew. */
const PROBE = 1_000;
const PAUSE = 100;
const PROBES = 5;

/** What a server says that answers, but cannot serve: commands fail as if there was none. */
const UNFIT = /^(?:CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|MOVED|ASK|TRYAGAIN) /;
const SAID_BY_SERVER = /^[A-Z]{3,} /;

/** Values and leases over a Cluster. A server that fails is asked by a probe only, until it answers one. */
export class ClusterCommands implements Commands {
  readonly spread = true;
  readonly #make: () => ClusterClient;
  readonly #timeout: number;
  readonly #failed = new Set<string>();
  /** Pauses under way, and how to end them. */
  readonly #pauses = new Set<() => void>();
  #client: ClusterClient;
  #closed = false;

  /** @param timeout of a command, in ms */
  constructor(make: () => ClusterClient, timeout: number) {
    this.#make = make;
    this.#timeout = timeout;
    this.#client = make();
  }

  /** @throws TidemarkError `UNAVAILABLE` after the deadline, and at once while the server is known not to answer */
  async send(key: string, args: readonly Argument[]): Promise<Reply> {
    if (this.#closed) throw new TidemarkError('CLOSED', 'This store is closed.');
    const server = this.#client.serverOf(key);
    if (this.#failed.has(server))
      throw unavailable('A server of the Redis Cluster does not answer; it is being probed.');
    try {
      return await this.#within(this.#timeout, async () => {
        await this.#client.tried;
        return this.#client.send(key, args.map(asWritten));
      });
    } catch (error) {
      if (isOfServer(error) || this.#closed) throw error;
      if (!this.#failed.has(server)) void this.#probe(server, key);
      throw unavailable('A server of the Redis Cluster did not answer.', error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
    for (const end of this.#pauses) end();
  }

  async #probe(server: string, key: string): Promise<void> {
    this.#failed.add(server);
    for (let failures = 0; !this.#closed; failures++) {
      try {
        await this.#within(PROBE, () => this.#client.send(key, ['EXISTS', key]));
        break;
      } catch (error) {
        if (isOfServer(error)) break;
      }
      await this.#pause(PAUSE);
      if (failures % PROBES === PROBES - 1) this.#renew();
    }
    this.#failed.delete(server);
  }

  /** A new client looks at the Cluster afresh; what is under way on the old one rejects. */
  #renew(): void {
    if (this.#closed) return;
    this.#client.close();
    this.#client = this.#make();
  }

  async #within(ms: number, work: () => Promise<Reply>): Promise<Reply> {
    let end: (() => void) | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(unavailable(`No answer within ${ms} ms.`)), ms);
      end = () => {
        clearTimeout(timer);
        reject(unavailable('It was closed meanwhile.'));
      };
      this.#pauses.add(end);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      if (end !== undefined) this.#pauses.delete(end);
      end?.();
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#pauses.add(end);
      if (this.#closed) end();
    });
  }
}

function isOfServer(error: unknown): boolean {
  return error instanceof Error && SAID_BY_SERVER.test(error.message) && !UNFIT.test(error.message);
}

function unavailable(message: string, cause?: unknown): TidemarkError {
  return new TidemarkError('UNAVAILABLE', message, { cause });
}
