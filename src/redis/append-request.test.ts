import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Label } from '../coherence/label.ts';
import type { Draft } from '../coherence/record.ts';
import { ByteWriter } from '../coherence/byte-writer.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { AppendRequest } from './append-request.ts';
import type { TableShape } from './slots.ts';

interface Vector {
  readonly name: string;
  readonly slots: number;
  readonly hashes: number;
  readonly history: number;
  readonly first: boolean;
  readonly drafts: readonly (Omit<Draft, 'labels' | 'lsn'> & {
    readonly labels: readonly string[];
    readonly lsn?: string;
  })[];
  /** What stands behind the first 64 bytes of the first one, and the others, as hexadecimal digits. */
  readonly arguments: readonly string[];
}

// Packed by a second implementation, in another language, from docs/protocol.md.
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/append.json', import.meta.url), 'utf8'),
) as Vector[];

function labelOf(text: string): Label {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function fromShown({ labels, lsn, ...rest }: Vector['drafts'][number]): Draft {
  const bound = lsn === undefined ? {} : { lsn: lsn === 'unknown' ? ('unknown' as const) : BigInt(lsn) };
  return { ...rest, ...bound, labels: labels.map(labelOf) };
}

/** The bytes that go behind those that all scripts have in common. */
function bodyOf(request: AppendRequest): Buffer {
  const writer = new ByteWriter(request.size, 'INVALID_RECORD');
  request.write(writer);
  return Buffer.from(writer.done());
}

/** Each part as records and bytes, each record's slots, and how many bytes of records there are. */
function taken(list: readonly Draft[], { hashes, slots }: TableShape) {
  const body = bodyOf(new AppendRequest(list, { hashes, slots }, 1_000, false));
  expect(body.readDoubleLE(0)).toBe(1_000);
  const pair = (at: number): [number, number] => [body.readUInt32LE(at), body.readUInt32LE(at + 4)];
  const parts = Array.from({ length: body.readUInt32LE(12) }, (_, i) => pair(16 + 8 * i));
  let at = 16 + 8 * parts.length;
  const counts = list.map(() => {
    const count = body.readUInt32LE(at);
    at += 4 + 4 * count;
    return count;
  });
  return { parts, counts, rest: body.length - at };
}

const drafts: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom('invalidate', 'everything', 'announce'),
  id: fc.constant('1'.repeat(32)),
  origin: fc.constant('test'),
  labels: fc.array(fc.record({ high: fc.integer(), low: fc.integer() }), { maxLength: 30 }),
  patterns: fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.constant('x'.repeat(5_000))), { maxLength: 2 }),
  time: fc.nat(),
});
const shape = { slots: 64, hashes: 2 };

describe('the arguments of an append', () => {
  it.each(vectors)(
    'are those of the protocol: $name',
    ({ slots, hashes, history, first, drafts: shown, arguments: expected }) => {
      const request = new AppendRequest(shown.map(fromShown), { slots, hashes }, history, first);
      const found = [bodyOf(request), ...request.effects];
      expect(found.map((argument) => Buffer.from(argument).toString('hex'))).toEqual(expected);
    },
  );

  it('part all records, in order, into entries of at most 32 that are closed at 4 KiB', () => {
    fc.assert(
      fc.property(fc.array(drafts, { minLength: 1, maxLength: 100 }), (list) => {
        const { parts, rest } = taken(list, shape);
        const sizes = list.map((draft) => 4 + encodeDraft(draft).length);
        let [next, end] = [0, 0];
        for (const [count, bytes] of parts) {
          const mine = sizes.slice(next, next + count);
          const size = mine.reduce((sum, each) => sum + each, 0);
          expect(bytes).toBe(size);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(32);
          expect(size - (mine.at(-1) ?? 0)).toBeLessThan(4_096);
          next += count;
          end += bytes;
        }
        expect([next, end]).toEqual([list.length, rest]);
      }),
    );
  });

  it('write slots for each label of each record, but none for what is only announced', () => {
    fc.assert(
      fc.property(fc.array(drafts, { maxLength: 20 }), (list) => {
        const { counts } = taken(list, shape);
        expect(counts).toEqual(
          list.map(({ kind, labels }) => (kind === 'announce' ? 0 : labels.length * shape.hashes)),
        );
      }),
    );
  });

  it('say of each record what else it does, in groups of four that name it by its index', () => {
    fc.assert(
      fc.property(fc.array(drafts, { maxLength: 20 }), (list) => {
        const { effects } = new AppendRequest(list, shape, 1_000, false);
        const groups = effects.map((argument) => Buffer.from(argument).toString());
        expect(groups.length % 4).toBe(0);
        const found = Array.from({ length: groups.length / 4 }, (_, i) => `${groups[4 * i]}${groups[4 * i + 1]}`);
        const expected = list.flatMap(({ kind, patterns }, i) => {
          if (kind === 'announce') return [`a${i}`];
          return [...(kind === 'everything' ? [`E${i}`] : []), ...patterns.map(() => `p${i}`)];
        });
        expect(found).toEqual(expected);
      }),
    );
  });
});
