import type { Label } from '../../src/coherence/label.ts';
import type { Appended, InvalidationLog, Reading, Snapshot } from '../../src/coherence/log.ts';
import type { PartContext } from '../../src/coherence/part.ts';
import type { Draft } from '../../src/coherence/record.ts';
import type { ServerAnswer, ServerCheck } from '../../src/coherence/server-check.ts';
import { decodeSnapshot } from '../../src/coherence/snapshot.ts';
import { decodeRecord, encodeDraft } from '../../src/coherence/wire.ts';
import type { Channel, Request } from './channel.ts';
import { type LogServer, type Read, ReadonlyError } from './log-server.ts';
import type { OuterGuard } from './server-guards.ts';

export interface LogClientOptions {
  /** The connection for appends, checks and readings that do not wait. */
  readonly data: Channel<LogServer>;
  readonly follower: Channel<LogServer>;
  /** Replicas that must confirm: 0 or 1. */
  readonly replicas: number;
  readonly maxLag: number;
  /** Most records in one answer. */
  readonly limit: number;
  readonly removed: ReadonlySet<OuterGuard>;
}

interface Confirmed<T> {
  readonly answer: T;
  readonly confirmed: boolean;
}

/**
 * The log as one process reaches it: what an adapter for a server with streams and scripts would do. A proof is dated
 * before its request is sent, and counts only if the replicas have confirmed a write of the same connection since.
 */
export class LogClient implements InvalidationLog, ServerCheck {
  readonly #options: LogClientOptions;
  readonly #context: Pick<PartContext, 'stopwatch'>;
  #position = { epoch: '', number: 0 };

  constructor(options: LogClientOptions, context: Pick<PartContext, 'stopwatch'>) {
    this.#options = options;
    this.#context = context;
  }

  async append(drafts: readonly Draft[]): Promise<Appended> {
    const { data, replicas, maxLag } = this.#options;
    const bytes = drafts.map(encodeDraft);
    const appended = await this.#ask<Appended>(
      data,
      (server, session, reply) => server.append(bytes, session, reply),
      maxLag,
    );
    if (replicas > 0 && this.#has('appendWaits')) await this.#confirm();
    return appended;
  }

  async read(
    after: { readonly epoch: string; readonly number: number },
    options: { wait: number; limit: number },
  ): Promise<Reading> {
    this.#position = after;
    const limit = Math.min(options.limit, this.#options.limit);
    const channel = options.wait > 0 ? this.#followerChannel() : this.#options.data;
    const sentAt = this.#context.stopwatch.now();
    const { answer, confirmed } = await this.#ask<Confirmed<Read>>(
      channel,
      (server, session, reply) => {
        server.block(after.number, options.wait, () => {
          server.read(after, limit, (error, read) => {
            if (error !== undefined || read === undefined) return reply(error);
            this.#proven(server, session, (proven) => reply(undefined, { answer: read, confirmed: proven }));
          });
        });
      },
      this.#options.maxLag * 1.2,
    );
    const records = answer.records.map((bytes) => decodeRecord(bytes).record);
    return { epoch: answer.epoch, head: answer.head, records, provenAt: confirmed ? sentAt : undefined };
  }

  async snapshot(): Promise<Snapshot> {
    const sentAt = this.#context.stopwatch.now();
    const position = this.#position;
    const { answer, confirmed } = await this.#ask<Confirmed<Uint8Array>>(
      this.#followerChannel(),
      (server, session, reply) => {
        server.snapshot(position, (error, bytes) => {
          if (error !== undefined || bytes === undefined) return reply(error);
          this.#proven(server, session, (proven) => reply(undefined, { answer: bytes, confirmed: proven }));
        });
      },
      this.#options.maxLag,
    );
    return { ...decodeSnapshot(answer), provenAt: confirmed ? sentAt : undefined };
  }

  async check(labels: readonly Label[]): Promise<ServerAnswer> {
    const sentAt = this.#context.stopwatch.now();
    const { data, maxLag } = this.#options;
    const { answer, confirmed } = await this.#ask<Confirmed<Omit<ServerAnswer, 'provenAt'>>>(
      data,
      (server, session, reply) => {
        server.check(labels, (error, found) => {
          if (error !== undefined || found === undefined) return reply(error);
          this.#proven(server, session, (proven) => reply(undefined, { answer: found, confirmed: proven }));
        });
      },
      maxLag,
    );
    return { ...answer, provenAt: confirmed ? sentAt : undefined };
  }

  close(): Promise<void> {
    this.#options.data.cut(false);
    this.#options.follower.cut(false);
    return Promise.resolve();
  }

  /** An answer that nobody waits for any more would hold up the next: that connection is given up. */
  #followerChannel(): Channel<LogServer> {
    const { follower } = this.#options;
    if (follower.busy) follower.cut(true);
    return follower;
  }

  #proven(server: LogServer, session: Parameters<LogServer['wait']>[0], reply: (proven: boolean) => void): void {
    const { replicas, maxLag } = this.#options;
    if (replicas === 0) return reply(true);
    server.heartbeat(session);
    server.wait(session, maxLag / 4, reply);
  }

  /**
   * Asks whether the replicas have what was appended. Only the connection that made the append can know: 1. it appends;
   * 2. it is lost; 3. a new one has written nothing, so that WAIT on it is satisfied at once; 4. the failover that broke
   * the first loses the record.
   */
  async #confirm(): Promise<void> {
    const { data, maxLag } = this.#options;
    const made = data.session;
    let confirmed: boolean;
    try {
      confirmed = await this.#askConfirmation();
    } catch (error) {
      if (this.#has('waitOwnConnection')) throw error;
      confirmed = await this.#askConfirmation();
    }
    if (this.#has('waitOwnConnection') && (made === undefined || made !== data.session))
      throw new Error('the connection was lost before the append was confirmed');
    if (!confirmed) throw new Error(`the replicas did not confirm the append in ${maxLag / 2} ms`);
  }

  #askConfirmation(): Promise<boolean> {
    const { data, maxLag } = this.#options;
    return data.request<boolean>(
      (server, session, reply) => server.wait(session, maxLag / 2, (confirmed) => reply(undefined, confirmed)),
      maxLag,
    );
  }

  /** A server that turns out to be a replica is left, so that the next request looks for the primary. */
  async #ask<T>(channel: Channel<LogServer>, request: Request<LogServer, T>, deadline: number): Promise<T> {
    try {
      return await channel.request(request, deadline);
    } catch (error) {
      if (error instanceof ReadonlyError) channel.cut(true);
      throw error;
    }
  }

  #has(guard: OuterGuard): boolean {
    return !this.#options.removed.has(guard);
  }
}
