import type { Reading, Snapshot } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { Position } from '../coherence/position.ts';
import type { LogRecord, Lsn } from '../coherence/record.ts';
import { readBanList } from './ban-list.ts';
import type { Connection, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { confirmedBy, type LogScripts, NOWHERE } from './log-scripts.ts';
import { bytesOf, listOf, numberOf, onlyValueOf, textOf } from './reply.ts';
import type { RollCall } from './roll-call.ts';
import { entryId, readEntry, type StreamEntry } from './stream-entry.ts';

export interface LogReaderParts {
  readonly keys: RedisKeys;
  readonly scripts: LogScripts;
  /** This node's place in the list of nodes. */
  readonly rollCall: RollCall;
  readonly replicas: number;
  readonly context: Pick<PartContext, 'stopwatch' | 'logger'>;
}

/** Most entries of the stream in one answer. */
const ENTRIES = 200;

/** Records that were read and are still to be handed out. */
interface Backlog extends Position {
  readonly records: readonly LogRecord[];
}

/**
 * Reads the log on the follower's connection.
 *
 * Records are taken from a blocking read as they come. It verifies nothing, so it proves nothing; what a record says is true
 * all the same, whoever hands it over. A proof is a reading by script, on the same connection: at once when nothing came, when
 * a record asks for it, or when the last proof is an eighth of `maxLag` old.
 */
export class LogReader {
  readonly #parts: LogReaderParts;
  #backlog: Backlog | undefined;
  /** The connection that the last proof came by; a new one is verified before it is read from. */
  #proved: Connection | undefined;
  /** When the last proof was asked for. */
  #provedAt = Number.NEGATIVE_INFINITY;
  /** Whether records were handed out since, and whether one of them asks to be confirmed. */
  #owing: 'nothing' | 'soon' | 'now' = 'nothing';
  #position: Position = NOWHERE;

  constructor(parts: LogReaderParts) {
    this.#parts = parts;
  }

  /** What the last answer brought beyond its limit, if it continues here. */
  kept(after: Position, limit: number): Reading | undefined {
    const kept = this.#backlog;
    this.#backlog = undefined;
    if (kept === undefined || kept.epoch !== after.epoch || kept.number !== after.number) return undefined;
    const head = kept.records.at(-1)?.number ?? after.number;
    return { epoch: after.epoch, head, records: this.#keepSurplus(after, kept.records, limit), provenAt: undefined };
  }

  /** Records as they come, for at most `wait` ms; with a proof when one is due or nothing came. */
  follow(connection: Connection, after: Position, wait: number, limit: number): Promise<Reading> {
    this.#position = after;
    if (this.#isProofDue(connection)) return this.#proveInTurn(connection, after, limit);
    return this.#block(connection, after, wait).then((reply) => {
      const entries = reply === null ? [] : this.#entries(onlyValueOf(reply));
      return entries.length > 0 ? this.#unproven(after, entries, limit) : this.#proveInTurn(connection, after, limit);
    });
  }

  async #proveInTurn(connection: Connection, after: Position, limit: number): Promise<Reading> {
    const reading = await this.prove(connection, after, limit);
    this.#proved = connection;
    // Who was entered only by this reading has proved nothing: the next one counts.
    this.#owing = this.#parts.rollCall.present ? (reading.records.length > 0 ? 'soon' : 'nothing') : 'now';
    this.#provedAt = reading.provenAt ?? this.#provedAt;
    return reading;
  }

  /** What there is now, verified: a proof of freshness, if it reaches the head, the replicas confirm it, and this node was listed. */
  async prove(connection: Connection, after: Position, limit: number): Promise<Reading> {
    const { context, scripts, rollCall, replicas } = this.#parts;
    const sentAt = context.stopwatch.now();
    const request = [String(Math.min(limit, ENTRIES)), ...rollCall.answer, replicas > 0 ? '1' : '0'];
    const answer = listOf(await scripts.run('read', connection, after, request));
    const isConfirmed = await confirmedBy(connection, replicas, scripts.confirmation);
    const [epoch, head, found, present] = answer;
    rollCall.heard(numberOf(present) === 1);
    const records = this.#entries(found).flatMap((entry) => entry.records);
    return {
      epoch: textOf(epoch),
      head: numberOf(head),
      records: limit > 0 ? this.#keepSurplus(after, records, limit) : [],
      provenAt: isConfirmed && rollCall.present ? sentAt : undefined,
    };
  }

  /** The whole state, with the same proof. */
  async snapshot(connection: Connection): Promise<Snapshot> {
    const { context, scripts, rollCall, replicas } = this.#parts;
    const sentAt = context.stopwatch.now();
    const request = [...rollCall.answer, replicas > 0 ? '1' : '0'];
    const answer = listOf(await scripts.run('snapshot', connection, this.#position, request));
    const isConfirmed = await confirmedBy(connection, replicas, scripts.confirmation);
    const [epoch, head, floor, bound, doubt] = answer;
    const [table, bans, present] = answer.slice(9);
    scripts.learn(answer.slice(5, 9));
    rollCall.heard(numberOf(present) === 1);
    this.#backlog = undefined;
    this.#proved = connection;
    this.#owing = rollCall.present ? 'nothing' : 'now';
    return {
      epoch: textOf(epoch),
      head: numberOf(head),
      floor: numberOf(floor),
      table: bytesOf(table),
      ...readBanList(bans),
      lsn: lsnOf(textOf(bound), numberOf(doubt)),
      options: scripts.options,
      provenAt: isConfirmed && rollCall.present ? sentAt : undefined,
    };
  }

  #isProofDue(connection: Connection): boolean {
    const { context, scripts } = this.#parts;
    if (this.#proved !== undefined && this.#proved !== connection) return true;
    if (this.#owing !== 'soon') return this.#owing === 'now';
    return context.stopwatch.now() - this.#provedAt > scripts.options.maxLag / 8;
  }

  #block(connection: Connection, { number }: Position, wait: number): Promise<Reply> {
    return connection.send([
      ...['XREAD', 'COUNT', String(ENTRIES), 'BLOCK', String(Math.max(1, Math.round(wait)))],
      ...['STREAMS', this.#parts.keys.stream, entryId(number)],
    ]);
  }

  /** As far as they are of the caller's epoch; if none is, there is another. */
  #unproven(after: Position, entries: readonly StreamEntry[], limit: number): Reading {
    const records: LogRecord[] = [];
    let foreign: string | undefined;
    for (const entry of entries) {
      if (entry.epoch === after.epoch) records.push(...entry.records);
      else foreign ??= entry.epoch;
    }
    if (records.length === 0 && foreign !== undefined)
      return { epoch: foreign, head: 0, records: [], provenAt: undefined };
    if (this.#owing !== 'now') this.#owing = records.some((record) => record.confirm) ? 'now' : 'soon';
    const head = records.at(-1)?.number ?? after.number;
    return { epoch: after.epoch, head, records: this.#keepSurplus(after, records, limit), provenAt: undefined };
  }

  /** Of what was read, what the caller asked for; the rest is handed out next. */
  #keepSurplus(after: Position, records: readonly LogRecord[], limit: number): readonly LogRecord[] {
    const first = records[0]?.number ?? 0;
    const wanted = first > after.number ? records : records.filter((record) => record.number > after.number);
    this.#backlog = undefined;
    if (wanted.length <= limit) return wanted;
    const number = wanted[limit - 1]?.number ?? after.number;
    this.#backlog = { epoch: after.epoch, number, records: wanted.slice(limit) };
    return wanted.slice(0, limit);
  }

  #entries(reply: Reply | undefined): readonly StreamEntry[] {
    const entries = listOf(reply).map(readEntry);
    for (const { unreadable } of entries) {
      for (const error of unreadable)
        this.#parts.context.logger?.error({ event: 'cache_record', err: error }, `cache_record: ${error.message}`);
    }
    return entries;
  }
}

function lsnOf(bound: string, doubt: number): Lsn {
  if (doubt > 0) return 'unknown';
  return bound === '' ? undefined : BigInt(`0x${bound}`);
}
