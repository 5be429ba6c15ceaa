import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Announcement } from '../coherence/announcements.ts';
import type { Ban } from '../coherence/bans.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Label } from '../coherence/label.ts';
import { announcementBytes, readBanList } from './ban-list.ts';

interface Vector {
  readonly name: string;
  /** Members as hexadecimal digits, each followed by its score. */
  readonly members: readonly string[];
  readonly bans?: readonly Ban[];
  readonly announcements?: readonly (Omit<Announcement, 'labels'> & { readonly labels: readonly string[] })[];
  readonly error?: string;
}

// Packed by a second implementation, in another language, from docs/protocol.md.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/ban-list.json', import.meta.url), 'utf8'),
) as Vector[];

function labelOf(text: string): Label {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function replyOf(members: readonly string[]): Buffer[] {
  return members.map((text, i) => Buffer.from(text, i % 2 === 0 ? 'hex' : 'utf8'));
}

const numbers = fc.maxSafeNat();
/** What a user can give: no control characters, which the first test has. */
const patterns = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const ids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const labels = fc.array(fc.record({ high: fc.integer(), low: fc.integer() }), { maxLength: 20 });
const announced = fc.record({ id: ids, number: numbers, labels, patterns: fc.array(patterns, { maxLength: 4 }) });
const banned = fc.record({ number: numbers, time: numbers, pattern: patterns });

describe('the list of bans', () => {
  it.each(vectors.filter(({ error }) => error === undefined))('is read: $name', (vector) => {
    const announcements = vector.announcements?.map((it) => ({ ...it, labels: it.labels.map(labelOf) }));
    expect(readBanList(replyOf(vector.members))).toEqual({ bans: vector.bans, announcements });
  });

  it.each(vectors.filter(({ error }) => error !== undefined))('is refused as a whole: $name', ({ members, error }) => {
    const read = (): unknown => readBanList(replyOf(members));
    expect(read).toThrow(TidemarkError);
    expect(read).toThrow(expect.objectContaining({ code: error }));
  });

  it('holds whatever was entered', () => {
    const lists = fc.tuple(
      fc.array(banned, { maxLength: 10 }),
      fc.uniqueArray(announced, { maxLength: 10, selector: ({ number }) => number }),
    );
    fc.assert(
      fc.property(lists, ([bans, announcements]) => {
        const members = [
          ...announcements.flatMap((it) => [
            Buffer.concat([Buffer.from(`a${it.id}${it.number} `), announcementBytes(it)]),
            Buffer.from(String(-it.number)),
          ]),
          ...[Buffer.from('e0123456789abcdef'), Buffer.from('0')],
          ...bans.flatMap((it) => [Buffer.from(`b${it.number} ${it.time} ${it.pattern}`), Buffer.from(`${it.number}`)]),
        ];
        const inOrder = [...announcements].sort((a, b) => a.number - b.number);
        expect(readBanList(members)).toEqual({ bans, announcements: inOrder });
      }),
    );
  });

  it('proves nothing where the server answered something else', () => {
    expect(() => readBanList(null)).toThrow(TidemarkError);
  });
});
