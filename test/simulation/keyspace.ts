import type { Announcement } from '../../src/coherence/announcements.ts';
import type { Ban } from '../../src/coherence/bans.ts';
import type { LogOptions } from '../../src/coherence/log.ts';
import { LsnBound } from '../../src/coherence/lsn-bound.ts';
import type { LogRecord } from '../../src/coherence/record.ts';
import type { Position } from '../../src/coherence/position.ts';
import { TideTable } from '../../src/coherence/tide-table.ts';

/** The keys that a server keeps a log in. Each carries the epoch, so that one that is lost, or came back, is noticed. */
export const LOG_KEYS = ['state', 'stream', 'table', 'bans'] as const;
export type LogKey = (typeof LOG_KEYS)[number];

interface State {
  readonly epoch: string;
  /** The server that began or took over the epoch: its process, and its history of replication. */
  readonly run: string;
  readonly replication: string;
  head: number;
  floor: number;
  lsn: LsnBound;
  /** The longest that any node has said it serves when cut off, in ms. */
  longest: number;
}

/** A node as it last reported itself. */
export interface Member {
  readonly applied: Position;
  readonly servesFor: number;
  /** By the server's clock, in ms. */
  readonly at: number;
}

/** A record in the stream: as bytes, with what the server itself wants to know of it. */
export interface Streamed {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** What a write changed; a replica does the same, in the same order, later. */
export type Effect =
  | { readonly type: 'begin'; readonly epoch: string; readonly run: string; readonly replication: string }
  | { readonly type: 'append'; readonly record: LogRecord; readonly bytes: Uint8Array }
  | { readonly type: 'list'; readonly id: string }
  | { readonly type: 'report'; readonly node: string; readonly member: Member }
  | { readonly type: 'leave'; readonly node: string }
  | { readonly type: 'lose'; readonly key: LogKey | 'nodes' }
  | { readonly type: 'trim'; readonly keep: number }
  | { readonly type: 'flush' }
  | { readonly type: 'heartbeat' };

/** The data of one server. */
export class Keyspace {
  state: State | undefined;
  stream: { readonly epoch: string; records: Streamed[] } | undefined;
  table: { readonly epoch: string; readonly positions: TideTable } | undefined;
  /** Patterns, and the announcements that are open. */
  bans: { readonly epoch: string; list: Ban[]; open: Announcement[] } | undefined;
  /** The list of nodes; its loss begins no epoch. */
  nodes: { id: string; readonly members: Map<string, Member> } | undefined;
  readonly #options: LogOptions;
  readonly #kept: number;

  /** @param kept length that the stream is trimmed to at each append */
  constructor(options: LogOptions, kept: number) {
    this.#options = options;
    this.#kept = kept;
  }

  clone(): Keyspace {
    const copy = new Keyspace(this.#options, this.#kept);
    if (this.state) copy.state = { ...this.state, lsn: this.state.lsn.clone() };
    if (this.stream) copy.stream = { ...this.stream, records: [...this.stream.records] };
    if (this.table) {
      copy.table = { epoch: this.table.epoch, positions: this.#newTable() };
      copy.table.positions.replace(this.table.positions.toBytes());
    }
    if (this.bans) copy.bans = { ...this.bans, list: [...this.bans.list], open: [...this.bans.open] };
    if (this.nodes) copy.nodes = { id: this.nodes.id, members: new Map(this.nodes.members) };
    return copy;
  }

  apply(effect: Effect): void {
    switch (effect.type) {
      case 'begin':
        return this.#begin(effect.epoch, effect.run, effect.replication);
      case 'append':
        return this.#append(effect.record, effect.bytes);
      case 'list':
        this.nodes = { id: effect.id, members: this.nodes?.members ?? new Map<string, Member>() };
        return;
      case 'report':
        this.nodes?.members.set(effect.node, effect.member);
        if (this.state) this.state.longest = Math.max(this.state.longest, effect.member.servesFor);
        return;
      case 'leave':
        this.nodes?.members.delete(effect.node);
        return;
      case 'lose':
        this[effect.key] = undefined;
        return;
      case 'trim':
        if (this.stream) this.stream.records = effect.keep === 0 ? [] : this.stream.records.slice(-effect.keep);
        return;
      case 'flush':
        for (const key of LOG_KEYS) this[key] = undefined;
        this.nodes = undefined;
        return;
      case 'heartbeat':
        return;
      default:
        effect satisfies never;
    }
  }

  /** A key that is missing comes into being here, as it would in a script that does not look first. */
  #append(record: LogRecord, bytes: Uint8Array): void {
    const state = this.state as State;
    const { epoch } = state;
    this.stream ??= { epoch, records: [] };
    this.table ??= { epoch, positions: this.#newTable() };
    this.bans ??= { epoch: '', list: [], open: [] };
    this.stream.records.push({ number: record.number, bytes });
    if (this.stream.records.length > this.#kept) this.stream.records.shift();
    if (record.kind === 'announce') this.#announce(record);
    else {
      for (const label of record.labels) this.table.positions.raise(label, record.number);
      for (const pattern of record.patterns) this.bans.list.push({ number: record.number, pattern, time: record.time });
    }
    if (record.kind === 'close') this.bans.open = this.bans.open.filter((it) => it.id !== record.closes);
    if (record.kind === 'everything') this.#raiseFloor(record.number);
    if (record.kind === 'floor') this.#raiseFloor(record.floor ?? record.number);
    state.lsn.take(record, epoch, record.number);
    state.head = record.number;
  }

  /** Nothing is known of what the epochs before have lost, so the database's position is not either. */
  #begin(epoch: string, run: string, replication: string): void {
    const lsn = new LsnBound();
    lsn.copy('unknown', 0);
    this.state = { epoch, run, replication, head: 0, floor: 0, lsn, longest: this.state?.longest ?? 0 };
    this.stream = { epoch, records: [] };
    this.table = { epoch, positions: this.#newTable() };
    this.bans = { epoch, list: [], open: [] };
  }

  #announce({ id, number, labels, patterns }: LogRecord): void {
    if (this.bans) this.bans.open = [...this.bans.open.filter((it) => it.id !== id), { id, number, labels, patterns }];
  }

  #raiseFloor(floor: number): void {
    const state = this.state as State;
    state.floor = Math.max(state.floor, floor);
    if (this.bans) this.bans.list = this.bans.list.filter((ban) => ban.number > state.floor);
  }

  #newTable(): TideTable {
    return new TideTable(this.#options.slots, this.#options.hashes);
  }
}
