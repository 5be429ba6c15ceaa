import type { WalMessage, WalRelation } from '../../src/postgres/wal-message.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import { Refusal } from './database-refusal.ts';
import { type DatabaseServer, SLOT } from './database-server.ts';
import type { ReplicationSlot, SlotReader } from './replication-slot.ts';
import type { WalCommit } from './wal.ts';

/** What a sender tells its reader, in order. */
export interface WalSenderListener {
  message(message: WalMessage): void;
  reached(lsn: bigint): void;
  /** The server has ended it. */
  ended(): void;
}

/** Between two signs of life, in ms. */
const SIGN = 400;
/** How long a silent reader keeps a slot, in ms. */
const SILENCE = 10_000;

const ROWS: WalRelation = {
  ...{ schema: 'public', name: 'rows', replicaIdentity: 'default', keyColumns: ['id'] },
  columns: [{ name: 'id', typeOid: 23 }],
};

/** Sends what a slot has kept to its one reader, from what is confirmed on, in the order of commits: as soon as it is in the log. */
export class WalSender implements SlotReader {
  readonly pid: number;
  readonly application: string;
  readonly #server: DatabaseServer;
  readonly #scheduler: Scheduler;
  readonly #slot: ReplicationSlot;
  readonly #listener: WalSenderListener;
  readonly #unsubscribe: () => void;
  #open = true;
  #heard: number;

  /** @throws Refusal where there is no slot that can be read, or somebody reads it */
  constructor(server: DatabaseServer, scheduler: Scheduler, application: string, listener: WalSenderListener) {
    const { slot, database } = server;
    if (slot === undefined) throw new Refusal('42704', 'the replication slot does not exist');
    if (slot.lost !== undefined) throw new Refusal('55000', 'the replication slot is lost');
    if (slot.reader !== undefined) throw new Refusal('55006', 'the replication slot is active');
    this.pid = server.pid();
    this.application = application;
    this.#server = server;
    this.#scheduler = scheduler;
    this.#slot = slot;
    this.#listener = listener;
    this.#heard = scheduler.now;
    slot.reader = this;
    for (const commit of database.wal.commits) if (commit.from >= slot.confirmed) this.#send(commit);
    this.#unsubscribe = database.wal.onCommit((commit) => this.#send(commit));
    this.#sign();
  }

  /** The reader is done with what was committed before. The message that says so may be lost. */
  confirm(lsn: number): void {
    this.#heard = this.#scheduler.now;
    const { random, removed, kept } = this.#server;
    if (!this.#open || random.chance(0.2)) return;
    const to = removed.has('captureOutstanding') ? (kept.get(SLOT)?.acknowledged ?? lsn) : lsn;
    this.#slot.confirm(to, random.chance(0.5));
  }

  /** The reader has gone. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unsubscribe();
    if (this.#slot.reader === this) this.#slot.reader = undefined;
  }

  terminate(): void {
    if (!this.#open) return;
    this.close();
    this.#listener.ended();
  }

  #send({ xid, from, lsn, rows, message }: WalCommit): void {
    if (rows.length === 0 && message === undefined) return;
    const tell = (it: WalMessage): void => this.#listener.message(it);
    tell({ tag: 'begin', xid: Number(BigInt.asUintN(32, xid)), commitLsn: BigInt(from) });
    tell({ tag: 'relation', relation: ROWS });
    for (const id of rows) tell({ tag: 'update', relation: ROWS, key: null, old: null, new: { id } });
    if (message !== undefined)
      tell({ tag: 'message', prefix: 'tidemark', transactional: true, lsn: BigInt(from), content: message });
    tell({ tag: 'commit', endLsn: BigInt(lsn) });
  }

  #sign(): void {
    if (!this.#open) return;
    if (this.#scheduler.now - this.#heard > SILENCE) return this.terminate();
    this.#listener.reached(BigInt(this.#server.database.lsn));
    this.#scheduler.after(SIGN, () => this.#sign());
  }
}
