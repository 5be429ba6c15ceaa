import type { Label } from '../../src/coherence/label.ts';
import type { Announcement } from '../../src/coherence/announcements.ts';
import type { LogOptions } from '../../src/coherence/log.ts';
import type { Draft, LogRecord } from '../../src/coherence/record.ts';
import type { Position } from '../../src/coherence/position.ts';
import type { Roll } from '../../src/coherence/presence.ts';
import type { ServerAnswer } from '../../src/coherence/server-check.ts';
import { encodeSnapshot } from '../../src/coherence/snapshot.ts';
import { decodeRecord, encodeDraft, NUMBER_OFFSET, PREV_OFFSET } from '../../src/coherence/wire.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { Endpoint, Reply, Session } from './channel.ts';
import { type Effect, type Keyspace, LOG_KEYS, type Streamed } from './keyspace.ts';
import type { OuterGuard } from './server-guards.ts';

export interface LogServerParts {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly options: LogOptions;
  readonly removed: ReadonlySet<OuterGuard>;
  /** Hands an effect on to the replica; returns at once. */
  readonly replicate: (from: LogServer, effect: Effect, offset: number) => void;
  readonly appended: (server: LogServer, draft: Draft, number: number) => void;
}

/** A node that reports itself with a request. */
export interface Reporter {
  readonly node: string;
  /** How long it serves when cut off, in ms beyond `maxLag`. */
  readonly tolerance: number;
}

export interface Read {
  readonly epoch: string;
  readonly head: number;
  readonly records: readonly Uint8Array[];
  /** Whether the node that asks was in the list of nodes before. */
  readonly listed: boolean;
}

export interface Copy {
  readonly bytes: Uint8Array;
  readonly listed: boolean;
}

interface Waiter {
  readonly offset: number;
  readonly confirm: (confirmed: boolean) => void;
}

/** A replica was asked to write. */
export class ReadonlyError extends Error {
  constructor() {
    super('READONLY: this is a replica');
  }
}

/** Confirmed by no replica: not even that nothing was written. */
const NOTHING = -1;

/** A node is struck off the list when it has not reported for so many times what it serves. */
const SILENCE = 3;

/**
 * One server that keeps a log: what the scripts of an adapter would do inside it. Each method that takes a reply is one
 * command; commands are executed whole.
 */
export class LogServer implements Endpoint {
  readonly name: string;
  readonly sessions: Set<Session> = new Set();
  keys: Keyspace;
  up = true;
  role: 'primary' | 'replica' = 'primary';
  /** Identity of the process. */
  run: string;
  /** Identity of its history: another one after each promotion. */
  replication: string;
  /** Bytes written, so to speak: what WAIT counts in. */
  offset = 0;
  /** What its replica has confirmed, as far as it knows; a replica that is cut off unconfirms nothing. */
  confirmed = NOTHING;
  /** The wall clock, in ms ahead of virtual time. */
  clock = 0;
  readonly #parts: LogServerParts;
  readonly #blocked = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();

  constructor(parts: LogServerParts, keys: Keyspace, replication: string) {
    this.#parts = parts;
    this.name = parts.name;
    this.keys = keys;
    this.run = this.#id();
    this.replication = replication;
  }

  // --- commands

  /** Appends drafts; answers the epoch and their numbers. */
  append(
    drafts: readonly Uint8Array[],
    session: Session,
    reply: Reply<{ epoch: string; numbers: readonly number[] }>,
  ): void {
    const refused = this.#verifyForAppend(drafts, session);
    if (refused !== undefined) return reply(refused);
    session.appended = true;
    this.#retireBans();
    const numbers = drafts.map((bytes) => this.#append(bytes));
    session.written = this.offset;
    this.#wake();
    reply(undefined, { epoch: this.#state.epoch, numbers });
  }

  /** Records after `number`, as soon as there are any, for at most `wait` ms. Verifies nothing, like any blocking read. */
  block(number: number, wait: number, limit: number, reply: Reply<Omit<Read, 'head' | 'listed'>>): void {
    const answer = (): void => {
      const records = this.keys.stream?.records.filter((it) => it.number > number).slice(0, limit) ?? [];
      reply(undefined, { epoch: this.keys.stream?.epoch ?? '', records: records.map((it) => it.bytes) });
    };
    if ((this.keys.stream?.records.at(-1)?.number ?? 0) > number) return answer();
    const done = (): void => {
      cancel();
      this.#blocked.delete(done);
      answer();
    };
    const cancel = this.#parts.scheduler.after(wait, done);
    this.#blocked.add(done);
  }

  /** Records after a position, with the head; compares the ids, since its answer dates a proof of freshness. */
  read(after: Position, limit: number, who: Reporter | undefined, reply: Reply<Read>): void {
    const refused = this.#has('proofVerifies') ? this.#verify(after) : undefined;
    if (refused !== undefined) return reply(refused);
    const { state, stream } = this.keys;
    if (state === undefined) return reply(new Error('there is no log here'));
    const listed = this.#report(who, after);
    const same = state.epoch === after.epoch;
    const records = same && stream ? stream.records.filter((it) => it.number > after.number).slice(0, limit) : [];
    const bytes = records.map((it: Streamed) => it.bytes);
    reply(undefined, { epoch: state.epoch, head: state.head, records: bytes, listed });
  }

  snapshot(after: Position, who: Reporter | undefined, reply: Reply<Copy>): void {
    const refused = this.#verify(after);
    if (refused !== undefined) return reply(refused);
    const listed = this.#report(who, after);
    const state = this.#state;
    const snapshot = {
      epoch: state.epoch,
      head: state.head,
      floor: state.floor,
      table: this.keys.table?.positions.toBytes() ?? new Uint8Array(this.#parts.options.slots * 8),
      bans: this.keys.bans?.list ?? [],
      announcements: this.#has('snapshotOpen') ? this.#open : [],
      lsn: state.lsn.value,
      options: this.#parts.options,
      provenAt: undefined,
    };
    reply(undefined, { bytes: encodeSnapshot(snapshot), listed });
  }

  /** The list of nodes, with the one that asks in it. Who has been silent for long is struck off: another list. */
  nodes(who: Reporter | undefined, reply: Reply<Roll>): void {
    const refused = this.#verify(undefined);
    if (refused !== undefined) return reply(refused);
    this.#report(who, { epoch: '', number: 0 });
    for (const [node, { at, servesFor }] of this.keys.nodes?.members ?? []) {
      if (this.#wall() - at <= SILENCE * servesFor) continue;
      this.execute({ type: 'leave', node });
      this.execute({ type: 'list', id: this.#id() });
    }
    const { epoch, longest } = this.#state;
    const members = [...(this.keys.nodes?.members ?? [])];
    const nodes = members.map(([node, { applied }]) => ({ node, applied }));
    reply(undefined, { id: `${epoch}.${this.keys.nodes?.id}`, longest, nodes });
  }

  leave(node: string, reply: Reply<undefined>): void {
    if (this.role !== 'primary') return reply(new ReadonlyError());
    this.execute({ type: 'leave', node });
    reply(undefined);
  }

  check(labels: readonly Label[], reply: Reply<Omit<ServerAnswer, 'provenAt'>>): void {
    const refused = this.#verify(undefined);
    if (refused !== undefined) return reply(refused);
    const { epoch, head, floor } = this.#state;
    const newest = labels.map((label) => this.keys.table?.positions.newest(label) ?? 0);
    reply(undefined, {
      epoch,
      head,
      floor,
      newest,
      bans: [...(this.keys.bans?.list ?? [])],
      announcements: this.#open,
    });
  }

  /** A write whose confirmation dates a proof: WAIT counts for writes of its own connection only. */
  heartbeat(session: Session): void {
    if (this.role !== 'primary') return;
    this.execute({ type: 'heartbeat' });
    session.written = this.offset;
  }

  /** Answers whether the replica has everything that this connection wrote. */
  wait(session: Session, ms: number, reply: (confirmed: boolean) => void): void {
    if (this.confirmed >= session.written && this.role === 'primary') return reply(true);
    const waiter: Waiter = {
      offset: session.written,
      confirm: (confirmed) => {
        cancel();
        this.#waiters.delete(waiter);
        reply(confirmed);
      },
    };
    const cancel = this.#parts.scheduler.after(ms, () => waiter.confirm(false));
    this.#waiters.add(waiter);
  }

  /** Who waited for a confirmation is told that there is none: the server has changed its role. */
  #disappoint(): void {
    for (const waiter of [...this.#waiters]) waiter.confirm(false);
  }

  // --- what befalls a server

  /** A write, whoever makes it. */
  execute(effect: Effect): void {
    this.keys.apply(effect);
    this.offset++;
    this.#parts.replicate(this, effect, this.offset);
  }

  confirm(offset: number): void {
    this.confirmed = Math.max(this.confirmed, offset);
    for (const waiter of [...this.#waiters]) if (this.confirmed >= waiter.offset) waiter.confirm(true);
  }

  promote(): void {
    this.role = 'primary';
    this.replication = this.#id();
    this.confirmed = NOTHING;
  }

  /** Takes over everything from its new primary; connections stay open. */
  follow(primary: LogServer): void {
    this.role = 'replica';
    this.keys = primary.keys.clone();
    this.replication = primary.replication;
    this.offset = primary.offset;
    this.confirmed = NOTHING;
    this.#disappoint();
    this.#wake();
  }

  crash(): void {
    this.up = false;
    this.closeSessions(() => true);
    this.#blocked.clear();
    this.#waiters.clear();
  }

  restart(): void {
    this.up = true;
    this.run = this.#id();
  }

  closeSessions(noticed: () => boolean): void {
    for (const session of [...this.sessions]) session.close(noticed());
  }

  // --- inside the scripts

  get #open(): readonly Announcement[] {
    return this.keys.bans?.open ?? [];
  }

  get #state(): NonNullable<Keyspace['state']> {
    if (this.keys.state === undefined) throw new Error('verified state is missing');
    return this.keys.state;
  }

  /** Before anything is written or copied: all keys are there and of one epoch, and this is the server they belong to. */
  #verify(reported: Position | undefined): Error | undefined {
    const whole = LOG_KEYS.every(
      (key) => this.keys[key] !== undefined && this.keys[key].epoch === this.keys.state?.epoch,
    );
    if (!whole && (this.#has('tableHeader') || this.keys.state === undefined)) return this.#begin();
    return this.#verifyIds(reported);
  }

  /**
   * Before records are appended: less is looked at, since whoever proves anything afterwards looks at all of it. Not so at the
   * first append of a connection, which no run of the server outlives, nor with an announcement, which has to be in the next
   * epoch as well.
   */
  #verifyForAppend(drafts: readonly Uint8Array[], session: Session): Error | undefined {
    const announces = drafts.some((bytes) => decodeRecord(bytes).record.kind === 'announce');
    if (announces || !session.appended) return this.#verify(undefined);
    if (this.role === 'replica') return new ReadonlyError();
    const { state, stream, table } = this.keys;
    const there = state !== undefined && stream !== undefined && table !== undefined;
    const ours = state?.replication === this.replication || !this.#has('bothIds');
    return there && ours ? undefined : this.#begin();
  }

  #verifyIds(reported: Position | undefined): Error | undefined {
    const { state } = this.keys;
    const ours =
      state !== undefined &&
      state.run === this.run &&
      (state.replication === this.replication || !this.#has('bothIds'));
    const beyond =
      reported !== undefined &&
      state?.epoch === reported.epoch &&
      reported.number > state.head &&
      this.#has('pastHead');
    return ours && !beyond ? undefined : this.#begin();
  }

  #begin(): Error | undefined {
    if (this.role === 'replica') return new ReadonlyError();
    this.execute({ type: 'begin', epoch: this.#id().slice(0, 16), run: this.run, replication: this.replication });
    return undefined;
  }

  /** Notes what a node has applied; answers whether it was in the list. */
  #report(who: Reporter | undefined, applied: Position): boolean {
    if (this.role !== 'primary') return false;
    if (this.keys.nodes === undefined) this.execute({ type: 'list', id: this.#id() });
    if (who === undefined) return true;
    const listed = this.keys.nodes?.members.has(who.node) === true;
    const member = { applied: { ...applied }, servesFor: this.#parts.options.maxLag + who.tolerance, at: this.#wall() };
    this.execute({ type: 'report', node: who.node, member });
    return listed;
  }

  #append(draft: Uint8Array): number {
    const prev = this.#state.head;
    const number = Math.max(Math.floor((this.#parts.scheduler.now + this.clock) * 1_000), prev + 1);
    const bytes = new Uint8Array(draft);
    const view = new DataView(bytes.buffer);
    view.setFloat64(NUMBER_OFFSET, number, true);
    view.setFloat64(PREV_OFFSET, prev, true);
    const { record } = decodeRecord(bytes);
    this.#write(record, bytes);
    return number;
  }

  #write(record: LogRecord, bytes: Uint8Array): void {
    this.execute({ type: 'append', record: { ...record, time: this.#wall() }, bytes });
    this.#parts.appended(this, record, record.number);
  }

  /** A ban leaves the list by a record that raises the floor to it, once no entry can be as old. */
  #retireBans(): void {
    const list = this.keys.bans?.list ?? [];
    const expired = list.findLast((ban) => ban.time < this.#wall() - this.#parts.options.maxLife);
    if (expired === undefined) return;
    this.#append(
      encodeDraft({
        kind: 'floor',
        id: this.#id().slice(0, 32),
        origin: this.name,
        labels: [],
        patterns: [],
        floor: expired.number,
        time: 0,
      }),
    );
  }

  #wall(): number {
    return Math.max(0, this.#parts.scheduler.now + this.clock);
  }

  #wake(): void {
    for (const done of [...this.#blocked]) done();
  }

  #id(): string {
    let id = '';
    for (let i = 0; i < 5; i++) id += this.#parts.random.bits().toString(16).padStart(8, '0');
    return id;
  }

  #has(guard: OuterGuard): boolean {
    return !this.#parts.removed.has(guard);
  }
}
