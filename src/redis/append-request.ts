import { announcementBytes } from './ban-list.ts';
import type { Draft } from '../coherence/record.ts';
import { encodeDraft } from '../coherence/wire.ts';
import type { Argument } from './connection.ts';
import { type TableShape, writeSlots } from './slots.ts';

/** Most records in an entry, and the bytes that it is closed at. */
const ENTRY_RECORDS = 32;
const ENTRY_BYTES = 4_096;

/** Arguments of `append.lua` from the records on. */
export function appendRequest(drafts: readonly Draft[], shape: TableShape): Argument[] {
  const encoded = drafts.map(encodeDraft);
  return [framed(encoded), partsOf(encoded), slotsOf(drafts, shape), ...drafts.flatMap(effectsOf)];
}

/** Each record behind its length. */
function framed(records: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(records.reduce((size, record) => size + 4 + record.length, 0));
  let at = 0;
  for (const record of records) {
    at = bytes.writeUInt32LE(record.length, at);
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

/**
 * How records are parted into entries of the stream: few enough in each that an entry is small to look at, many enough that a
 * burst is cheap to write and to read.
 */
function partsOf(records: readonly Uint8Array[]): Uint8Array {
  const parts: { count: number; bytes: number }[] = [];
  for (const { length } of records) {
    const part = parts.at(-1);
    if (part !== undefined && part.count < ENTRY_RECORDS && part.bytes < ENTRY_BYTES) {
      part.count++;
      part.bytes += 4 + length;
    } else parts.push({ count: 1, bytes: 4 + length });
  }
  const bytes = Buffer.allocUnsafe(parts.length * 8);
  parts.forEach((part, i) => bytes.writeUInt32LE(part.bytes, bytes.writeUInt32LE(part.count, i * 8)));
  return bytes;
}

/** For each record how many slots its labels write to, and which. */
function slotsOf(drafts: readonly Draft[], shape: TableShape): Uint8Array {
  const lists = drafts.map(({ kind, labels }) => (kind === 'announce' || kind === 'floor' ? [] : labels));
  const bytes = Buffer.allocUnsafe(lists.reduce((size, labels) => size + 4 + labels.length * shape.hashes * 4, 0));
  let at = 0;
  for (const labels of lists) {
    at = bytes.writeUInt32LE(labels.length * shape.hashes, at);
    at = writeSlots(bytes, at, labels, shape);
  }
  return bytes;
}

/** What a record does besides: in groups of operation, index and two operands, in the order in which a view takes it in. */
function effectsOf(draft: Draft, i: number): Argument[] {
  const effects: Argument[] = [];
  const add = (operation: string, x: Argument = '', y = ''): number => effects.push(operation, String(i), x, y);
  const { kind, lsn, lsnAfter } = draft;
  if (lsn === 'unknown') add('u');
  else if (lsn !== undefined)
    add('l', lsn.toString(16).padStart(16, '0'), lsnAfter === undefined ? '' : `${lsnAfter.epoch}:${lsnAfter.number}`);
  if (kind === 'everything') add('E');
  if (kind !== 'announce' && kind !== 'floor') for (const pattern of draft.patterns) add('p', pattern);
  if (kind === 'announce') effects.push('a', String(i), draft.id, announcementBytes(draft));
  if (kind === 'close' && draft.closes !== undefined) add('c', draft.closes);
  if (kind === 'floor') effects.push('f', String(i), String(draft.floor), '');
  return effects;
}
