import { announcementBytes } from './ban-list.ts';
import type { ByteWriter } from '../coherence/byte-writer.ts';
import type { Label } from '../coherence/label.ts';
import type { Draft } from '../coherence/record.ts';
import { measureDraft, type MeasuredDraft, writeDraft } from '../coherence/wire.ts';
import type { Argument } from './connection.ts';
import type { Body } from './log-scripts.ts';
import { type TableShape, writeSlots } from './slots.ts';

/** Most records in an entry, and the bytes that it is closed at. */
const ENTRY_RECORDS = 32;
const ENTRY_BYTES = 4_096;

/** An entry of the stream. */
interface Part {
  count: number;
  bytes: number;
}

/**
 * What is told to `append.lua`: behind the bytes that all scripts have in common what every append has, because many
 * arguments take a driver and a server longer than many bytes; then, in arguments of their own, what few records do besides.
 */
export class AppendRequest implements Body {
  readonly size: number;
  readonly effects: readonly Argument[];
  readonly #records: readonly MeasuredDraft[];
  readonly #parts: readonly Part[];
  readonly #shape: TableShape;
  readonly #history: number;
  readonly #first: boolean;

  /**
   * @param history bytes of records that the stream keeps
   * @param first whether it is the first append on its connection
   * @throws TidemarkError `INVALID_RECORD` for what no record may hold
   */
  constructor(drafts: readonly Draft[], shape: TableShape, history: number, first: boolean) {
    this.#records = drafts.map(measureDraft);
    this.#parts = partsOf(this.#records);
    this.#shape = shape;
    this.#history = history;
    this.#first = first;
    let size = 16 + 8 * this.#parts.length;
    for (const record of this.#records) size += 8 + record.size + 4 * shape.hashes * slotted(record.draft).length;
    this.size = size;
    const effects: Argument[] = [];
    drafts.forEach((draft, i) => addEffects(effects, draft, i));
    this.effects = effects;
  }

  write(writer: ByteWriter): void {
    writer
      .f64(this.#history)
      .u32(this.#first ? 1 : 0)
      .u32(this.#parts.length);
    for (const { count, bytes } of this.#parts) writer.u32(count).u32(bytes);
    for (const { draft } of this.#records) {
      const labels = slotted(draft);
      writeSlots(writer.u32(labels.length * this.#shape.hashes), labels, this.#shape);
    }
    for (const record of this.#records) writeDraft(writer.u32(record.size), record);
  }
}

/**
 * How records are parted into entries of the stream: few enough in each that an entry is small to look at, many enough that a
 * burst is cheap to write and to read.
 */
function partsOf(records: readonly MeasuredDraft[]): readonly Part[] {
  const parts: Part[] = [];
  for (const { size } of records) {
    const part = parts.at(-1);
    if (part !== undefined && part.count < ENTRY_RECORDS && part.bytes < ENTRY_BYTES) {
      part.count++;
      part.bytes += 4 + size;
    } else parts.push({ count: 1, bytes: 4 + size });
  }
  return parts;
}

/** The labels whose slots a record writes to. */
function slotted({ kind, labels }: Draft): readonly Label[] {
  return kind === 'announce' || kind === 'floor' ? [] : labels;
}

/** What a record does besides: in groups of operation, index and two operands, in the order in which a view takes it in. */
function addEffects(request: Argument[], draft: Draft, i: number): void {
  const { kind, labels, patterns, lsn, lsnAfter, closes } = draft;
  if (kind === 'invalidate' && patterns.length === 0 && lsn === undefined) return; // Nearly all.
  const add = (operation: string, x: Argument = '', y: Argument = ''): number =>
    request.push(operation, String(i), x, y);
  if (lsn === 'unknown') add('u');
  else if (lsn !== undefined)
    add('l', lsn.toString(16).padStart(16, '0'), lsnAfter === undefined ? '' : `${lsnAfter.epoch}:${lsnAfter.number}`);
  if (kind === 'everything') add('E');
  if (kind !== 'announce' && kind !== 'floor') for (const pattern of patterns) add('p', pattern);
  if (kind === 'announce') add('a', draft.id, announcementBytes({ labels, patterns }));
  if (kind === 'close' && closes !== undefined) add('c', closes);
  if (kind === 'floor') add('f', String(draft.floor));
}
