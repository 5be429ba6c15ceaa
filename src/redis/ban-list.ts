import type { Announcement } from '../coherence/announcements.ts';
import type { Ban } from '../coherence/bans.ts';
import { ByteReader } from '../coherence/byte-reader.ts';
import { ByteWriter } from '../coherence/byte-writer.ts';
import type { Draft } from '../coherence/record.ts';
import type { Reply } from './connection.ts';
import { bytesOf, listOf } from './reply.ts';

/** What the key of bans holds: also the announcements that are open. */
export interface BanList {
  readonly bans: readonly Ban[];
  readonly announcements: readonly Announcement[];
}

/** Labels and patterns of an announcement as they stand in its member: u32 count, labels; u32 count, texts. */
export function announcementBytes({ labels, patterns }: Pick<Draft, 'labels' | 'patterns'>): Uint8Array {
  const texts = patterns.reduce((size, pattern) => size + 2 + Buffer.byteLength(pattern), 0);
  const writer = new ByteWriter(8 + labels.length * 8 + texts, 'INVALID_RECORD');
  writer.u32(labels.length).labels(labels).u32(patterns.length);
  for (const pattern of patterns) writer.text(pattern);
  return writer.done();
}

/**
 * The members of the key, as `log.lua` describes them, in the order of their numbers.
 *
 * @throws TidemarkError `INVALID_RECORD` for one that cannot be read: half a list proves nothing
 */
export function readBanList(reply: Reply | undefined): BanList {
  const bans: Ban[] = [];
  const announcements: Announcement[] = [];
  const members = listOf(reply);
  for (let i = 0; i < members.length; i += 2) {
    const bytes = bytesOf(members[i]);
    const kind = String.fromCharCode(bytes[0] ?? 0);
    if (kind === 'b') bans.push(readBan(bytes));
    else if (kind === 'a') announcements.push(readAnnouncement(bytes));
  }
  return { bans, announcements: announcements.sort((a, b) => a.number - b.number) };
}

function readBan(bytes: Uint8Array): Ban {
  const text = Buffer.from(bytes).toString('utf8');
  const [, number, time, pattern] = /^b(\d+) (\d+) (.*)$/s.exec(text) ?? [];
  if (pattern === undefined) return unreadable(text);
  return { number: Number(number), time: Number(time), pattern };
}

function readAnnouncement(bytes: Uint8Array): Announcement {
  const space = bytes.indexOf(0x20);
  const head = Buffer.from(bytes.subarray(0, Math.max(0, space))).toString('latin1');
  const [, id, number] = /^a([0-9a-f]{32})(\d+)$/.exec(head) ?? [];
  if (id === undefined) return unreadable(head);
  const reader = new ByteReader(bytes.subarray(space + 1), 'INVALID_RECORD');
  const labels = reader.labels(reader.u32());
  const patterns = Array.from({ length: reader.u32() }, () => reader.text());
  return { id, number: Number(number), labels, patterns };
}

function unreadable(text: string): never {
  return new ByteReader(new Uint8Array(), 'INVALID_RECORD').fail(`the ban ${JSON.stringify(text)} is not one`);
}
