import type { Label } from '../../src/coherence/label.ts';
import type { Appended, InvalidationLog, Reading, Snapshot } from '../../src/coherence/log.ts';
import type { PartContext } from '../../src/coherence/part.ts';
import type { Position } from '../../src/coherence/position.ts';
import type { Presence, Roll } from '../../src/coherence/presence.ts';
import type { Draft } from '../../src/coherence/record.ts';
import type { ServerAnswer, ServerCheck } from '../../src/coherence/server-check.ts';
import { decodeSnapshot } from '../../src/coherence/snapshot.ts';
import { decodeRecord, encodeDraft } from '../../src/coherence/wire.ts';
import type { Channel, Request, Session } from './channel.ts';
import { type Copy, type LogServer, type Read, ReadonlyError, type Reporter } from './log-server.ts';
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
 * The log as one process reaches it: what the adapter for Redis does. Records come by blocking reads, which prove nothing;
 * a proof is dated before its request is sent, and counts only if the replicas have confirmed a write of the same connection
 * since, and if this node was in the list of nodes.
 */
export class LogClient implements InvalidationLog, ServerCheck, Presence {
  readonly #options: LogClientOptions;
  readonly #context: Pick<PartContext, 'stopwatch'>;
  #position = { epoch: '', number: 0 };
  /** This node, once it is registered. */
  #who: Reporter | undefined;
  /** The connection that the last proof came by, when it was asked for, and whether records came since. */
  #proved: Session | undefined;
  #provedAt = Number.NEGATIVE_INFINITY;
  #owing: 'nothing' | 'soon' | 'now' = 'nothing';

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

  async read(after: Position, options: { wait: number; limit: number }): Promise<Reading> {
    this.#position = after;
    const limit = Math.min(options.limit, this.#options.limit);
    if (options.wait <= 0) return (await this.#prove(this.#options.data, after, limit)).reading;
    const channel = this.#followerChannel();
    if (!this.#isProofDue(channel)) {
      const sentAt = this.#context.stopwatch.now();
      const { maxLag } = this.#options;
      const { epoch, records } = await this.#ask<Omit<Read, 'head' | 'listed'>>(
        channel,
        (server, _, reply) => server.block(after.number, options.wait, limit, reply),
        maxLag * 1.2,
      );
      if (records.length > 0) return this.#unproven(after, epoch, records, sentAt);
    }
    const { reading, listed } = await this.#prove(channel, after, limit);
    this.#proved = channel.session;
    this.#owing = listed ? (reading.records.length > 0 ? 'soon' : 'nothing') : 'now';
    this.#provedAt = reading.provenAt ?? this.#provedAt;
    return reading;
  }

  async #prove(
    channel: Channel<LogServer>,
    after: Position,
    limit: number,
  ): Promise<{ reading: Reading; listed: boolean }> {
    const sentAt = this.#context.stopwatch.now();
    const { answer, confirmed } = await this.#ask<Confirmed<Read>>(
      channel,
      (server, session, reply) => {
        server.read(after, limit, this.#who, (error, read) => {
          if (error !== undefined || read === undefined) return reply(error);
          this.#proven(server, session, (proven) => reply(undefined, { answer: read, confirmed: proven }));
        });
      },
      this.#options.maxLag * 1.2,
    );
    const records = answer.records.map((bytes) => decodeRecord(bytes).record);
    const listed = answer.listed || !this.#has('presenceProof');
    const provenAt = confirmed && listed ? sentAt : undefined;
    return { reading: { epoch: answer.epoch, head: answer.head, records, provenAt }, listed };
  }

  #isProofDue({ session }: Channel<LogServer>): boolean {
    if (this.#proved !== undefined && this.#proved !== session) return true;
    if (this.#owing !== 'soon') return this.#owing === 'now';
    return this.#context.stopwatch.now() - this.#provedAt > this.#options.maxLag / 8;
  }

  #unproven(after: Position, epoch: string, bytes: readonly Uint8Array[], sentAt: number): Reading {
    if (epoch !== after.epoch) return { epoch, head: 0, records: [], provenAt: undefined };
    const records = bytes.map((it) => decodeRecord(it).record);
    if (this.#owing !== 'now') this.#owing = records.some(({ confirm }) => confirm === true) ? 'now' : 'soon';
    const head = records.at(-1)?.number ?? after.number;
    return { epoch, head, records, provenAt: this.#has('onlyProofsProve') ? undefined : sentAt };
  }

  async snapshot(): Promise<Snapshot> {
    const sentAt = this.#context.stopwatch.now();
    const position = this.#position;
    const channel = this.#followerChannel();
    const { answer, confirmed } = await this.#ask<Confirmed<Copy>>(
      channel,
      (server, session, reply) => {
        server.snapshot(position, this.#who, (error, copy) => {
          if (error !== undefined || copy === undefined) return reply(error);
          this.#proven(server, session, (proven) => reply(undefined, { answer: copy, confirmed: proven }));
        });
      },
      this.#options.maxLag,
    );
    const listed = answer.listed || !this.#has('presenceProof');
    this.#proved = channel.session;
    this.#owing = listed ? 'nothing' : 'now';
    return { ...decodeSnapshot(answer.bytes), provenAt: confirmed && listed ? sentAt : undefined };
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

  async register(node: string, tolerance: number): Promise<void> {
    this.#who = { node, tolerance };
    await this.#nodes(this.#who);
  }

  list(): Promise<Roll> {
    return this.#nodes(undefined);
  }

  async remove(node: string): Promise<void> {
    this.#who = undefined;
    const { data, maxLag } = this.#options;
    await this.#ask<undefined>(data, (server, _, reply) => server.leave(node, reply), maxLag / 2);
  }

  close(): Promise<void> {
    this.#options.data.cut(false);
    this.#options.follower.cut(false);
    return Promise.resolve();
  }

  #nodes(who: Reporter | undefined): Promise<Roll> {
    const { data, maxLag } = this.#options;
    return this.#ask<Roll>(data, (server, _, reply) => server.nodes(who, reply), maxLag / 2);
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
