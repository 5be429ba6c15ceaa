import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../coherence/errors.ts';
import type { Label } from '../coherence/label.ts';
import type { Draft, LogRecord } from '../coherence/record.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { entryId, readEntry } from './stream-entry.ts';

interface Shown extends Omit<LogRecord, 'labels' | 'lsn'> {
  readonly labels: readonly string[];
  readonly lsn?: string;
}

interface Vector {
  readonly name: string;
  readonly id: string;
  readonly epoch: string;
  readonly value: string;
  readonly records?: readonly Shown[];
  readonly unreadable?: number;
  readonly error?: string;
}

// Packed by a second implementation, in another language, from docs/protocol.md.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/stream-entries.json', import.meta.url), 'utf8'),
) as Vector[];

const EPOCH = '0123456789abcdef';
const NAME = Buffer.from(EPOCH);

function labelOf(text: string): Label {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function fromShown({ labels, lsn, ...rest }: Shown): LogRecord {
  const bound = lsn === undefined ? {} : { lsn: lsn === 'unknown' ? ('unknown' as const) : BigInt(lsn) };
  return { ...rest, ...bound, labels: labels.map(labelOf) };
}

/** An entry as a driver hands it over. */
function reply(id: string, value: Uint8Array, epoch = NAME) {
  return [Buffer.from(id), [epoch, Buffer.from(value)]];
}

function valueOf(prev: number, drafts: readonly Draft[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeDoubleLE(prev);
  const frames = drafts.flatMap((draft) => {
    const record = encodeDraft(draft);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(record.length);
    return [length, record];
  });
  return Buffer.concat([head, ...frames]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TidemarkError) return error.code;
    throw error;
  }
  return 'nothing';
}

const drafts: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom('invalidate', 'everything'),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => `1${Buffer.from(bytes).toString('hex').slice(1)}`),
  origin: fc.string({ maxLength: 20 }),
  labels: fc.array(fc.record({ high: fc.integer(), low: fc.integer() }), { maxLength: 5 }),
  patterns: fc.array(fc.string({ maxLength: 10 }), { maxLength: 3 }),
  time: fc.nat(),
});

describe('an entry of the stream', () => {
  it.each(vectors.filter(({ records }) => records))(
    'is read: $name',
    ({ id, epoch, value, records, unreadable = 0 }) => {
      const entry = readEntry(reply(id, Buffer.from(value, 'hex'), Buffer.from(epoch)));
      expect(entry.epoch).toBe(epoch);
      expect(entry.records).toEqual(records?.map(fromShown));
      expect(entry.unreadable.map(({ code }) => code)).toEqual(Array(unreadable).fill('INVALID_RECORD'));
    },
  );

  it.each(vectors.filter(({ error }) => error))('is refused: $name', ({ id, value, error }) => {
    expect(codeOf(() => readEntry(reply(id, Buffer.from(value, 'hex'))))).toBe(error);
  });

  it('numbers its records so that they end at its id and make a chain', () => {
    const cases = fc.tuple(fc.array(drafts, { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat());
    fc.assert(
      fc.property(cases, ([list, prev, gap]) => {
        const last = prev + gap + list.length;
        const { records } = readEntry(reply(`${last}-0`, valueOf(prev, list)));
        let before = prev;
        for (const [i, { number, prev: link, ...record }] of records.entries()) {
          expect([link, number]).toEqual([before, last - list.length + 1 + i]);
          expect(record).toEqual(list[i]);
          before = number;
        }
        expect(before).toBe(last);
      }),
    );
  });

  it('is read whole or refused, wherever it is cut', () => {
    const one = fc.tuple(fc.array(drafts, { minLength: 1, maxLength: 3 }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(one, ([list, share]) => {
        const value = valueOf(5, list);
        const cut = Math.floor(share * (value.length - 1));
        const ends = list.map((_, i) => valueOf(5, list.slice(0, i)).length);
        const run = (): unknown => readEntry(reply('100-0', value.subarray(0, cut)));
        expect(codeOf(run)).toBe(ends.includes(cut) ? 'nothing' : 'INVALID_RECORD');
      }),
    );
  });

  it.each([null, 7, Buffer.from('1-0'), [], [Buffer.from('1-0')], [Buffer.from('1-0'), null]])(
    'that is none at all is refused: %j',
    (none) => {
      expect(codeOf(() => readEntry(none))).toBe('INVALID_RECORD');
    },
  );

  it('stands after the id of what was applied before it', () => {
    expect([0, 1, Number.MAX_SAFE_INTEGER].map(entryId)).toEqual(['0-1', '1-0', '9007199254740991-0']);
  });
});
