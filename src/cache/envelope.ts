import { ByteReader } from '../coherence/byte-reader.ts';
import { ByteWriter } from '../coherence/byte-writer.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Label } from '../coherence/label.ts';
import { checkNumber } from '../coherence/position.ts';

/*
 * An entry as the store keeps it, format version 1. Integers and 64-bit floats are little-endian.
 *
 *    0  format version, 1                         4  epoch, 8 bytes        28  ttl in ms, f64
 *    1  serializer, 1 to 255                     12  mark, f64             36  grace in ms, f64
 *    2  compression (0 none, 1 Brotli)           20  born at, f64          44  label count, u16
 *    3  zero
 *
 * Then the labels (8 bytes each: high half, low half) and the payload (u32 length) up to the end.
 */
const VERSION = 1;
const HEADER = 46;
const NONE = 0;
const BROTLI = 1;

/** Most labels of one entry. Each is a check at every serve. */
const MAX_LABELS = 1024;

/** A value with what any node needs to judge it. Labels are hashes, not slots, so that the log may resize its table. */
export interface Envelope {
  readonly epoch: string;
  /** The log position that its loader started from, within the epoch. */
  readonly mark: number;
  readonly labels: readonly Label[];
  /** Wall clock of the writer when the load began, in ms since 1970. Decides about expiry only, never about truth. */
  readonly bornAt: number;
  readonly ttl: number;
  readonly grace: number;
  /** The id of the serializer that made the payload. */
  readonly serializer: number;
  readonly compressed: boolean;
  readonly payload: Uint8Array;
}

/**
 * The bytes of an envelope.
 *
 * @throws TidemarkError `INVALID_ENVELOPE` for what no envelope may hold, `POSITION_OUT_OF_RANGE` for its mark
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { labels, payload, serializer } = envelope;
  if (labels.length > MAX_LABELS) {
    throw invalid(`${labels.length} labels are more than ${MAX_LABELS}. Give the entry fewer tags`);
  }
  if (!isSerializer(serializer)) throw invalid(`serializer ${shorten(serializer)} is not an integer from 1 to 255`);
  return new ByteWriter(HEADER + labels.length * 8 + 4 + payload.length, 'INVALID_ENVELOPE')
    .u8(VERSION)
    .u8(serializer)
    .u8(envelope.compressed ? BROTLI : NONE)
    .u8(0)
    .hex(envelope.epoch, 8)
    .f64(checkNumber(envelope.mark))
    .amount(envelope.bornAt)
    .amount(envelope.ttl)
    .amount(envelope.grace)
    .u16(labels.length)
    .labels(labels)
    .u32(payload.length)
    .bytes(payload)
    .done();
}

/**
 * Reads an envelope; its payload is a view of the bytes, not a copy.
 *
 * @throws TidemarkError `INVALID_ENVELOPE` for anything but a whole envelope of this version. A caller treats it as not
 *   found: a load is always right
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new ByteReader(bytes, 'INVALID_ENVELOPE');
  const version = reader.u8();
  if (version !== VERSION) return reader.fail(`envelope version ${version} is unknown`);
  const serializer = reader.u8();
  if (!isSerializer(serializer)) return reader.fail(`serializer ${serializer} is unknown`);
  const compression = reader.u8();
  if (compression !== NONE && compression !== BROTLI) return reader.fail(`compression ${compression} is unknown`);
  if (reader.u8() !== 0) return reader.fail('a flag is set that this release does not know');
  const epoch = reader.hex(8);
  const mark = reader.position('mark');
  const bornAt = reader.amount('time of birth');
  const ttl = reader.amount('ttl');
  const grace = reader.amount('grace');
  const labels = readLabels(reader);
  const length = reader.u32();
  if (length !== reader.left) return reader.fail(`a payload of ${length} bytes does not fill the ${reader.left} left`);
  const payload = reader.bytes(length);
  return { epoch, mark, labels, bornAt, ttl, grace, serializer, compressed: compression === BROTLI, payload };
}

function readLabels(reader: ByteReader): Label[] {
  const count = reader.u16();
  return count <= MAX_LABELS ? reader.labels(count) : reader.fail(`${count} labels are more than ${MAX_LABELS}`);
}

function isSerializer(id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id <= 255;
}

function invalid(problem: string): TidemarkError {
  return new TidemarkError('INVALID_ENVELOPE', `An entry cannot be stored: ${problem}.`);
}
