import { announcementBytes } from './ban-list.ts';
import type { Draft } from '../coherence/record.ts';
import { encodeDrafts } from '../coherence/wire.ts';
import type { Argument } from './connection.ts';
import { type TableShape, writeSlots } from './slots.ts';

/** Most records in an entry, and the bytes that it is closed at. */
const ENTRY_RECORDS = 32;
const ENTRY_BYTES = 4_096;

/** Arguments of `append.lua` from the records on. */
export function appendRequest(drafts: readonly Draft[], shape: TableShape): Argument[] {
  const { bytes, lengths } = encodeDrafts(drafts);
  const request: Argument[] = [bytes, partsOf(lengths), slotsOf(drafts, shape)];
  drafts.forEach((draft, i) => addEffects(request, draft, i));
  return request;
}

/**
 * How records are parted into entries of the stream: few enough in each that an entry is small to look at, many enough that a
 * burst is cheap to write and to read.
 */
function partsOf(lengths: readonly number[]): Uint8Array {
  const parts: { count: number; bytes: number }[] = [];
  for (const length of lengths) {
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
