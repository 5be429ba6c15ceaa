import type { Label } from './label.ts';
import { labelAt, labelBytes } from './message.ts';

/** A value with what any participant needs to judge it, as docs/protocol.md describes it: JSON, not compressed. */
export interface Envelope {
  readonly mark: { readonly epoch: string; readonly number: number };
  readonly labels: readonly Label[];
  readonly value: unknown;
}

const HEADER = 46;

export function pack({ mark, labels, value }: Envelope, ttl: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(1, 0);
  header.writeUInt8(1, 1);
  header.write(mark.epoch, 4, 'hex');
  for (const [i, number] of [mark.number, Date.now(), ttl, 0].entries()) header.writeDoubleLE(number, 12 + 8 * i);
  header.writeUInt16LE(labels.length, 44);
  const payload = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(payload.length);
  return Buffer.concat([header, ...labels.map(labelBytes), length, payload]);
}

/** The value, unless it is none that this participant can read. */
export function unpack(bytes: Buffer): Envelope | undefined {
  const [version, serializer, compression, flags] = bytes;
  if (version !== 1 || serializer !== 1 || compression !== 0 || flags !== 0) return undefined;
  const labels = Array.from({ length: bytes.readUInt16LE(44) }, (_, i) => labelAt(bytes, HEADER + 8 * i));
  const at = HEADER + 8 * labels.length;
  if (bytes.readUInt32LE(at) !== bytes.length - at - 4) return undefined;
  const value: unknown = JSON.parse(bytes.toString('utf8', at + 4));
  return { mark: { epoch: bytes.toString('hex', 4, 12), number: bytes.readDoubleLE(12) }, labels, value };
}
