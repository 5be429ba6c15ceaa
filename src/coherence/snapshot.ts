import type { Announcement } from './announcements.ts';
import type { Ban } from './bans.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { LogOptions, Snapshot } from './log.ts';
import { checkNumber } from './position.ts';

/*
 * The state of a log as bytes, format version 1, for logs that keep it in one value. Little-endian:
 *
 *   u8 version, 8 bytes epoch, f64 head, f64 floor, 9 bytes LSN (state, u64),
 *   options: u32 slots, u8 hashes, f64 maxLag, f64 maxLife
 *   bans: u32 count; each f64 number, f64 time, text (u16 length, UTF-8)
 *   announcements: u32 count; each 16 bytes id, f64 number, u32 count and labels, u32 count and texts
 *   table: 8 bytes for each slot
 */
const VERSION = 1;
const FIXED = 1 + 8 + 8 + 8 + 9 + (4 + 1 + 8 + 8) + 4 + 4;

/**
 * The bytes of a snapshot. `provenAt` stays behind: a reading of this process's stopwatch means nothing elsewhere.
 *
 * @throws TidemarkError `INVALID_RECORD` for what no snapshot may hold, `POSITION_OUT_OF_RANGE` for its numbers
 */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { options, bans, announcements, table } = snapshot;
  const variable = sum(bans, (ban) => 16 + textSize(ban.pattern)) + sum(announcements, announcementSize) + table.length;
  const writer = new ByteWriter(FIXED + variable, 'INVALID_RECORD')
    .u8(VERSION)
    .hex(snapshot.epoch, 8)
    .f64(checkNumber(snapshot.head))
    .f64(checkNumber(snapshot.floor))
    .lsn(snapshot.lsn)
    .u32(options.slots)
    .u8(options.hashes)
    .amount(options.maxLag)
    .amount(options.maxLife)
    .u32(bans.length);
  for (const ban of bans) writer.f64(checkNumber(ban.number)).amount(ban.time).text(ban.pattern);
  writer.u32(announcements.length);
  for (const it of announcements) writeAnnouncement(writer, it);
  return writer.bytes(table).done();
}

/**
 * The snapshot in bytes made by {@link encodeSnapshot}; its `provenAt` is `undefined`, its table a view of the bytes.
 *
 * @throws TidemarkError `INVALID_RECORD` when anything in it cannot be read: half a snapshot proves nothing
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const reader = new ByteReader(bytes, 'INVALID_RECORD');
  const version = reader.u8();
  if (version !== VERSION) return reader.fail(`snapshot version ${version} is unknown`);
  const epoch = reader.hex(8);
  const head = reader.position('head');
  const floor = reader.position('floor');
  const lsn = reader.lsn();
  const options = readOptions(reader);
  const bans = list(reader, readBan);
  const announcements = list(reader, readAnnouncement);
  if (reader.left !== options.slots * 8)
    reader.fail(`a table of ${options.slots} slots does not have ${reader.left} bytes`);
  const table = reader.bytes(reader.left);
  return { epoch, head, floor, table, bans, announcements, lsn, options, provenAt: undefined };
}

function readOptions(reader: ByteReader): LogOptions {
  return {
    slots: reader.u32(),
    hashes: reader.u8(),
    maxLag: reader.amount('maxLag'),
    maxLife: reader.amount('maxLife'),
  };
}

function readBan(reader: ByteReader): Ban {
  return { number: reader.position('ban'), time: reader.amount('time of a ban'), pattern: reader.text() };
}

function writeAnnouncement(writer: ByteWriter, it: Announcement): void {
  writer.hex(it.id, 16).f64(checkNumber(it.number)).u32(it.labels.length).labels(it.labels).u32(it.patterns.length);
  for (const pattern of it.patterns) writer.text(pattern);
}

function readAnnouncement(reader: ByteReader): Announcement {
  const id = reader.hex(16);
  const number = reader.position('announcement');
  const labels = reader.labels(reader.u32());
  return { id, number, labels, patterns: list(reader, (it) => it.text()) };
}

function list<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const found: T[] = [];
  for (let count = reader.u32(); count > 0; count--) found.push(read(reader));
  return found;
}

function announcementSize(it: Announcement): number {
  return 16 + 8 + 4 + it.labels.length * 8 + 4 + sum(it.patterns, textSize);
}

function textSize(text: string): number {
  return 2 + Buffer.byteLength(text);
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
