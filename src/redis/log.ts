import type { Appended, InvalidationLog, Reading, Snapshot, Unsubscribe } from '../coherence/log.ts';
import type { Label } from '../coherence/label.ts';
import type { Position } from '../coherence/position.ts';
import type { Draft } from '../coherence/record.ts';
import type { ServerAnswer, ServerCheck } from '../coherence/server-check.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { appendRequest } from './append-request.ts';
import { readBanList } from './ban-list.ts';
import type { Argument, Connection, Reply } from './connection.ts';
import type { Link } from './link.ts';
import { LogReader, type LogReaderParts } from './log-reader.ts';
import { confirmedBy, type LogScript, NOWHERE } from './log-scripts.ts';
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
  /** What the server appends to retire a ban; it fills in the floor, and an id. */
  readonly #floorDraft: Uint8Array = encodeDraft({
    ...{ kind: 'floor', id: 'f'.repeat(32), origin: 'log', labels: [], patterns: [], floor: 0, time: 0 },
  });

  constructor(parts: RedisLogParts) {
    this.#parts = parts;
    this.#reader = new LogReader(parts);
  }

  async append(drafts: readonly Draft[]): Promise<Appended> {
    const { data, replicas, timeout, scripts, history } = this.#parts;
    const patience = replicas > 0 ? scripts.options.maxLag / 2 : 0;
    const answer = await data.run(async (connection) => {
      const made = await this.#ask('append', connection, () => [
        ...[String(history), this.#floorDraft],
        ...appendRequest(drafts, scripts.options),
      ]);
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
      const [epoch, head, floor, newest, bans] = await this.#ask('check', connection, () => [
        packSlots(labels, scripts.options),
        heartbeat,
      ]);
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
  async #ask(script: LogScript, connection: Connection, request: () => Argument[]): Promise<readonly Reply[]> {
    const { scripts } = this.#parts;
    const answer = listOf(await scripts.run(script, connection, NOWHERE, request()));
    if (textOf(answer[0]) !== '') return answer;
    scripts.learn(answer.slice(1));
    return listOf(await scripts.run(script, connection, NOWHERE, request()));
  }
}
