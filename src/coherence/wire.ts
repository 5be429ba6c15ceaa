import { ByteReader } from './byte-reader.ts';
import { ByteWriter, utf8Length } from './byte-writer.ts';
import { shorten, TidemarkError } from './errors.ts';
import { checkNumber } from './position.ts';
import type { Draft, LogRecord, RecordKind } from './record.ts';
import { type MeasuredExtensions, measureExtensions, readExtensions, writeExtensions } from './record-extensions.ts';

/*
 * Records as bytes, format version 1. The first 77 bytes stand where they stand for ever; integers and 64-bit floats
 * are little-endian.
 *
 *    0  format version, 1           20  message id, 16 bytes              60  LSN: state (0 none, 1 unknown, 2 known)
 *    1  kind, 1 to 5                36  id it closes, 16 bytes or zeros   61  LSN, u64
 *    2  flags, u16                  52  floor, f64                        69  sender's time, f64
 *    4  number, f64
 *   12  previous number, f64        77  origin: u16 length, UTF-8
 *
 * Then the labels (u32 count, 8 bytes each: high half, low half), the patterns (u32 count, each as u16 length and UTF-8)
 * and extensions up to the end. Flag 1 asks who applies the record to say so at once. A reader ignores unknown flags
 * among the low eight, and treats a record with one among the high eight as unreadable.
 */
const VERSION = 1;
/** See `Draft.confirm`. */
const CONFIRM = 0x0001;
const MUST_UNDERSTAND = 0xff00;
const HEADER = 77;

/** Where the number stands in every version: a server's script writes it (and {@link PREV_OFFSET}) into a draft's bytes. */
export const NUMBER_OFFSET = 4;

/** Where the number of the record before stands in every version; right behind {@link NUMBER_OFFSET}. */
export const PREV_OFFSET = 12;

const KINDS: readonly RecordKind[] = ['invalidate', 'everything', 'announce', 'close', 'floor'];
const NO_ID = '0'.repeat(32);

/** A record that was read, and why it counts as `everything` where its header could not be read. */
export interface Decoded {
  readonly record: LogRecord;
  readonly unreadable: TidemarkError | undefined;
}

/** Where a record stands in its log. */
type Place = Pick<LogRecord, 'number' | 'prev'>;

/**
 * The bytes of a record.
 *
 * @throws TidemarkError `INVALID_RECORD` for what no record may hold, `POSITION_OUT_OF_RANGE` for its numbers
 */
export function encodeRecord(record: LogRecord): Uint8Array {
  return encode(record, checkNumber(record.number), checkNumber(record.prev));
}

/** The bytes of a draft: a record whose number and previous number are zero, for the log's server to fill in. */
export function encodeDraft(draft: Draft): Uint8Array {
  return encode(draft, 0, 0);
}

/** A draft, and how many bytes it takes; see {@link measureDraft}. */
export interface MeasuredDraft {
  readonly draft: Draft;
  readonly size: number;
  readonly extensions: MeasuredExtensions;
}

/** Writes the bytes of {@link encodeDraft} among others: all of an append go into one buffer. */
export function writeDraft(writer: ByteWriter, { draft, extensions }: MeasuredDraft): void {
  write(writer, draft, 0, 0, extensions);
}

function encode(draft: Draft, number: number, prev: number): Uint8Array {
  const { size, extensions } = measureDraft(draft);
  const writer = new ByteWriter(size, 'INVALID_RECORD');
  write(writer, draft, number, prev, extensions);
  return writer.done();
}

/** @throws TidemarkError `INVALID_RECORD` for what no record may hold */
export function measureDraft(draft: Draft): MeasuredDraft {
  checkDraft(draft);
  const extensions = measureExtensions(draft);
  let size = HEADER + 2 + utf8Length(draft.origin) + 4 + draft.labels.length * 8 + 4 + extensions.size;
  for (const pattern of draft.patterns) size += 2 + utf8Length(pattern);
  return { draft, size, extensions };
}

function write(writer: ByteWriter, draft: Draft, number: number, prev: number, extensions: MeasuredExtensions): void {
  writer
    .u8(VERSION)
    .u8(KINDS.indexOf(draft.kind) + 1)
    .u16(draft.confirm === true ? CONFIRM : 0)
    .f64(number)
    .f64(prev)
    .hex(draft.id, 16);
  (draft.closes === undefined ? writer.zeros(16) : writer.hex(draft.closes, 16))
    .f64(checkNumber(draft.floor ?? 0))
    .lsn(draft.lsn)
    .f64(draft.time)
    .text(draft.origin)
    .u32(draft.labels.length)
    .labels(draft.labels)
    .u32(draft.patterns.length);
  for (const pattern of draft.patterns) writer.text(pattern);
  writeExtensions(writer, extensions);
}

/**
 * Reads a record of any version. One whose header cannot be read (another version or kind, cut short, lengths beyond
 * its end) covers everything at its position: `unreadable` says why, and the caller reports it. A broken or unknown
 * extension is left out.
 *
 * @param place where it stands, if that is known better than its bytes say
 * @throws TidemarkError `INVALID_RECORD` when not even its number and the previous one can be read; nothing else, ever
 */
export function decodeRecord(bytes: Uint8Array, place?: Place): Decoded {
  return readRecord(new ByteReader(bytes, 'INVALID_RECORD'), place);
}

/** As {@link decodeRecord}, of what a reader has left. */
export function readRecord(reader: ByteReader, place?: Place): Decoded {
  const version = reader.u8();
  const kind = reader.u8();
  const flags = reader.u16();
  const written = { number: reader.position('number'), prev: reader.position('previous number') };
  const { number, prev } = place ?? written;
  try {
    return { record: readDraft(version, kind, flags, reader, number, prev), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { record: { ...coversEverything(), number, prev }, unreadable: unreadable(number, error) };
  }
}

// One literal with every field: what is read is of one shape, and a copy with fields added costs more than the reading.
function readDraft(
  version: number,
  code: number,
  flags: number,
  reader: ByteReader,
  number: number,
  prev: number,
): LogRecord {
  const kind = KINDS[code - 1];
  if (version !== VERSION) return reader.fail(`format version ${version} is unknown`);
  if (kind === undefined) return reader.fail(`kind ${code} is unknown`);
  if ((flags & MUST_UNDERSTAND) !== 0) return reader.fail(`flags ${flags} are unknown`);
  const id = reader.hex(16);
  const closes = reader.idOrZeros();
  const floor = reader.position('floor');
  const lsn = reader.lsn();
  const time = reader.f64();
  const origin = reader.text();
  const labels = reader.labels(reader.u32());
  const patterns: string[] = [];
  for (let count = reader.u32(); count > 0; count--) patterns.push(reader.text());
  const { targets, cause, lsnAfter } = readExtensions(reader);
  return {
    kind,
    id,
    origin,
    labels,
    patterns,
    closes,
    floor: kind === 'floor' || floor > 0 ? floor : undefined,
    lsn,
    lsnAfter,
    confirm: (flags & CONFIRM) === 0 ? undefined : true,
    time: Number.isFinite(time) ? time : 0,
    targets,
    cause,
    number,
    prev,
  };
}

/** What a record that cannot be read must be taken for. Its LSN taints, since it may have carried one. */
function coversEverything(): Draft {
  return { kind: 'everything', id: NO_ID, origin: '', labels: [], patterns: [], lsn: 'unknown', time: 0 };
}

function unreadable(number: number, cause: TidemarkError): TidemarkError {
  const message = `The record at ${number} cannot be read and covers everything. ${cause.message} A newer release wrote it (upgrade this node), or it is damaged.`;
  return new TidemarkError('INVALID_RECORD', message, { cause });
}

/** What the bytes could hold, but no reader would take for what was meant. */
function checkDraft(draft: Draft): void {
  if (!KINDS.includes(draft.kind)) throw invalid('kind', draft.kind, `Give one of ${KINDS.join(', ')}`);
  if (draft.id === NO_ID) throw invalid('id', draft.id, 'Give 16 random bytes');
  if (draft.closes === NO_ID) throw invalid('closes', draft.closes, 'Leave it out, or give the id of an announcement');
  if (draft.kind === 'floor' && draft.floor === undefined)
    throw invalid('floor', draft.floor, 'Give the number to raise it to');
}

function invalid(what: string, value: unknown, cure: string): TidemarkError {
  return new TidemarkError('INVALID_RECORD', `record ${what}: ${shorten(value)} cannot be sent. ${cure}.`);
}
