import type { Appended, InvalidationLog, Reading, Snapshot, Unsubscribe } from '../coherence/log.ts';
import type { Label } from '../coherence/label.ts';
import type { Position } from '../coherence/position.ts';
import type { Draft } from '../coherence/record.ts';
import type { ServerAnswer, ServerCheck } from '../coherence/server-check.ts';
import { AppendRequest } from './append-request.ts';
import { readBanList } from './ban-list.ts';
import type { Connection, Reply } from './connection.ts';
import type { Link } from './link.ts';
import { LogReader, type LogReaderParts } from './log-reader.ts';
import { confirmedBy, NOWHERE } from './log-scripts.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { packSlots } from './slots.ts';

export interface RedisLogParts extends LogReaderParts {
  /** For appends, checks and readings that do not wait. */
  readonly data: Link;
  /** For the readings of the follower, which block it. */
  readonly follower: Link;
  /** Bytes of records to keep. */
  readonly history: number;
  /** Deadline of an exchange, in ms. */
  readonly timeout: number;
  /** Calls a listener with each new connection. */
  readonly onConnected: (listener: () => void) => Unsubscribe;
  /** Called when the log is closed: whoever made `data` ends it. */
  readonly release: () => void;
}

/** How much longer than an exchange a copy of the whole table may take. */
const COPY = 4;

/** The log on a Redis server: a stream of appends, the state that follows from them, and scripts that keep both in step. */
export class RedisLog implements InvalidationLog, ServerCheck {
  readonly #parts: RedisLogParts;
  readonly #reader: LogReader;
  /** The connection of the last append: its server's process is the one that was looked at. */
  #known: Connection | undefined;

  constructor(parts: RedisLogParts) {
    this.#parts = parts;
    this.#reader = new LogReader(parts);
  }

  async append(drafts: readonly Draft[]): Promise<Appended> {
    const { data, replicas, timeout, scripts, history } = this.#parts;
    const patience = replicas > 0 ? scripts.options.maxLag / 2 : 0;
    const answer = await data.run(async (connection) => {
      const made = await this.#ask(() => {
        const request = new AppendRequest(drafts, scripts.options, history, connection !== this.#known);
        return scripts.run('append', connection, NOWHERE, request.effects, request);
      });
      this.#known = connection;
      // Only the connection that made the append can ask for it: on another one WAIT is satisfied at once.
      if (await confirmedBy(connection, replicas, patience)) return made;
      throw new Error(`${replicas} replicas did not confirm the append in ${patience} ms`);
    }, timeout + patience);
    const first = numberOf(answer[1]) - drafts.length + 1;
    return { epoch: textOf(answer[0]), numbers: drafts.map((_, i) => first + i) };
  }

  read(after: Position, { wait, limit }: { wait: number; limit: number }): Promise<Reading> {
    const { data, follower, timeout, scripts, replicas } = this.#parts;
    const deadline = 2 * timeout + (replicas > 0 ? scripts.confirmation : 0);
    if (wait <= 0) return data.run((connection) => this.#reader.prove(connection, after, limit), deadline);
    const kept = this.#reader.kept(after, limit);
    if (kept !== undefined) return Promise.resolve(kept);
    return follower.run((connection) => this.#reader.follow(connection, after, wait, limit), wait + deadline);
  }

  snapshot(): Promise<Snapshot> {
    const { follower, timeout, scripts } = this.#parts;
    return follower.run((connection) => this.#reader.snapshot(connection), COPY * timeout + scripts.confirmation);
  }

  check(labels: readonly Label[]): Promise<ServerAnswer> {
    const { data, replicas, scripts, context } = this.#parts;
    return data.run(async (connection) => {
      const sentAt = context.stopwatch.now();
      const heartbeat = replicas > 0 ? '1' : '0';
      const [epoch, head, floor, newest, bans] = await this.#ask(() =>
        scripts.run('check', connection, NOWHERE, [packSlots(labels, scripts.options), heartbeat]),
      );
      const isConfirmed = await confirmedBy(connection, replicas, scripts.confirmation);
      return {
        epoch: textOf(epoch),
        head: numberOf(head),
        floor: numberOf(floor),
        newest: listOf(newest).map(numberOf),
        ...readBanList(bans),
        provenAt: isConfirmed ? sentAt : undefined,
      };
    });
  }

  onReachable(listener: () => void): Unsubscribe {
    return this.#parts.onConnected(listener);
  }

  close(): Promise<void> {
    this.#parts.follower.close();
    this.#parts.release();
    return Promise.resolve();
  }

  /** Asks once more where the log turns out to have another table than the request was made for. */
  async #ask(request: () => Promise<Reply>): Promise<readonly Reply[]> {
    const answer = listOf(await request());
    if (textOf(answer[0]) !== '') return answer;
    this.#parts.scripts.learn(answer.slice(1));
    return listOf(await request());
  }
}
