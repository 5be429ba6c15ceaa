import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Draft } from '../coherence/record.ts';
import { everything, type Target } from '../coherence/target.ts';
import { decodeRecord } from '../coherence/wire.ts';
import { CHANNEL } from './carrier.ts';
import { Pile } from './coalesce.ts';
import { type TableMapping, Unknowable } from './mapping.ts';
import type { WalChange, WalMessage, WalRelation } from './wal-message.ts';

/** What a transaction that has committed makes stale. */
export interface CapturedTransaction {
  /** The lower half of its id; `undefined` for a message outside any transaction, which everybody sees. */
  readonly xid: number | undefined;
  /** Whoever acknowledges no more than this is sent it again. */
  readonly commitLsn: bigint;
  /** What a replica must have replayed to have it. */
  readonly endLsn: bigint;
  readonly targets: readonly Target[];
  /** What it has written down itself; without an `lsn`. */
  readonly messages: readonly Draft[];
}

/** A change that counts as everything, or as its whole table, and why. */
export interface CaptureFault {
  /** `undefined` for a message. */
  readonly table: string | undefined;
  readonly error: unknown;
}

export interface TransactionReaderParts {
  readonly mappings: ReadonlyMap<string, TableMapping>;
  /** Targets of one table in one transaction; beyond it counts as a change of the whole table. */
  readonly mostTargets: number;
  readonly fault: (fault: CaptureFault) => void;
  /** Makes the draft of what cannot be read. */
  readonly coverAll: () => Draft;
}

/** Messages of one transaction that are kept apart. */
const MOST_MESSAGES = 1_000;
const EVERYTHING = everything();

/** Makes transactions of what a stream says. */
export class TransactionReader {
  readonly #parts: TransactionReaderParts;
  #open: { readonly xid: number; readonly commitLsn: bigint } | undefined;
  #piles = new Map<TableMapping | undefined, Pile>();
  #messages: Draft[] = [];

  constructor(parts: TransactionReaderParts) {
    this.#parts = parts;
  }

  /** Where the transaction that is being read stands: it is not to be acknowledged. */
  get openAt(): bigint | undefined {
    return this.#open?.commitLsn;
  }

  /** @returns a transaction once its end is read, if it concerns anybody */
  take(message: WalMessage): CapturedTransaction | undefined {
    switch (message.tag) {
      case 'begin':
        this.#open = message;
        return undefined;
      case 'commit':
        return this.#commit(message.endLsn);
      case 'insert':
      case 'update':
      case 'delete':
        this.#change(message);
        return undefined;
      case 'truncate':
        for (const it of message.relations) this.#truncate(it);
        return undefined;
      case 'message':
        return this.#message(message);
      case 'unreadable':
        // Outside a transaction nobody knows whose it is, and when that is visible: nothing goes on.
        if (this.#open === undefined) throw message.error;
        this.#cover(undefined, message.error);
        return undefined;
      case 'relation':
      case 'other':
        return undefined;
      default:
        return message satisfies never;
    }
  }

  #change(change: WalChange): void {
    const mapping = this.#mappingOf(change.relation);
    if (mapping === undefined) return;
    try {
      const targets = mapping.targetsOf(change);
      if (targets.some(({ kind }) => kind === 'everything')) this.#pile(undefined).add([EVERYTHING]);
      else if (this.#pile(mapping).add(targets)) this.#pile(undefined).add(mapping.whole);
    } catch (error) {
      this.#cover(mapping, error);
    }
  }

  #truncate(relation: WalRelation | undefined): void {
    // The log names a relation that it has not described: nobody knows which.
    if (relation === undefined) return this.#cover(undefined, new Unknowable('a table without a name was truncated'));
    const mapping = this.#mappingOf(relation);
    if (mapping !== undefined) this.#pile(undefined).add(mapping.whole);
  }

  #message({ prefix, transactional, content, lsn }: WalMessage & { tag: 'message' }): CapturedTransaction | undefined {
    if (prefix !== CHANNEL) return undefined;
    const draft = this.#draft(content);
    if (!transactional) return { xid: undefined, commitLsn: lsn, endLsn: lsn, targets: [], messages: [draft] };
    if (this.#messages.length < MOST_MESSAGES) this.#messages.push(draft);
    else this.#pile(undefined).add([EVERYTHING]);
    return undefined;
  }

  #draft(content: Uint8Array): Draft {
    try {
      const { record, unreadable } = decodeRecord(content);
      if (unreadable !== undefined) throw unreadable;
      const { number: _number, prev: _prev, ...draft } = record;
      if (draft.kind === 'invalidate' || draft.kind === 'everything') return draft;
      throw new TidemarkError('INVALID_RECORD', `A transaction has no message of the kind ${shorten(draft.kind)}.`);
    } catch (error) {
      this.#parts.fault({ table: undefined, error });
      return this.#parts.coverAll();
    }
  }

  #cover(mapping: TableMapping | undefined, error: unknown): void {
    this.#pile(undefined).add([EVERYTHING]);
    this.#parts.fault({ table: mapping?.name, error });
  }

  #mappingOf({ schema, name }: WalRelation): TableMapping | undefined {
    return this.#parts.mappings.get(`${schema}.${name}`);
  }

  #pile(mapping: TableMapping | undefined): Pile {
    let pile = this.#piles.get(mapping);
    if (pile === undefined) this.#piles.set(mapping, (pile = new Pile(this.#parts.mostTargets)));
    return pile;
  }

  #commit(endLsn: bigint): CapturedTransaction | undefined {
    const open = this.#open;
    const targets = this.#collected();
    const messages = this.#messages;
    this.#open = undefined;
    this.#piles = new Map();
    this.#messages = [];
    if (open === undefined || (targets.length === 0 && messages.length === 0)) return undefined;
    return { xid: open.xid, commitLsn: open.commitLsn, endLsn, targets, messages };
  }

  #collected(): readonly Target[] {
    const found: Target[] = [];
    // What is too much for a table is said of the whole table, in the pile that belongs to none.
    for (const [mapping, pile] of this.#piles) {
      if (mapping !== undefined && pile.isEverything) continue;
      found.push(...pile.targets());
    }
    return found;
  }
}
