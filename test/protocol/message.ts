import { randomBytes } from 'node:crypto';
import type { Label } from './label.ts';

/** A record as docs/protocol.md describes it, as far as a small participant needs it. */
export interface Message {
  readonly kind: number;
  readonly labels: readonly Label[];
  readonly patterns: readonly string[];
}

/** The kinds of records that are used here. */
export const INVALIDATE = 1;
export const EVERYTHING = 2;

/** Bytes before the origin. */
const HEADER = 77;

/** The bytes of a record for an append: its number and the one before it are zero. */
export function encode({ kind, labels, patterns }: Message): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(1, 0);
  header.writeUInt8(kind, 1);
  randomBytes(16).copy(header, 20);
  header.writeDoubleLE(Date.now(), 69);
  return Buffer.concat([header, text('guest#1'), u32(labels.length), ...labels.map(labelBytes), texts(patterns)]);
}

/** What a record covers; everything, where it cannot be read. */
export function decode(bytes: Buffer): Message {
  const all: Message = { kind: EVERYTHING, labels: [], patterns: [] };
  const kind = bytes.readUInt8(1);
  if (bytes.readUInt8(0) !== 1 || kind > 5 || bytes.readUInt16LE(2) > 255) return all;
  let at = HEADER + 2 + bytes.readUInt16LE(HEADER);
  const labels = Array.from({ length: bytes.readUInt32LE(at) }, (_, i) => labelAt(bytes, at + 4 + 8 * i));
  at += 4 + 8 * labels.length;
  const count = bytes.readUInt32LE(at);
  at += 4;
  const patterns = Array.from({ length: count }, () => {
    const end = at + 2 + bytes.readUInt16LE(at);
    const pattern = bytes.toString('utf8', at + 2, end);
    at = end;
    return pattern;
  });
  return { kind, labels, patterns };
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function labelBytes({ high, low }: Label): Buffer {
  return Buffer.concat([u32(high), u32(low)]);
}

export function labelAt(bytes: Buffer, at: number): Label {
  return { high: bytes.readUInt32LE(at), low: bytes.readUInt32LE(at + 4) };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function texts(values: readonly string[]): Buffer {
  return Buffer.concat([u32(values.length), ...values.map(text)]);
}
