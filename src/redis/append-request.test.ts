import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Label } from '../coherence/label.ts';
import type { Draft } from '../coherence/record.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { appendRequest } from './append-request.ts';

interface Vector {
  readonly name: string;
  readonly slots: number;
  readonly hashes: number;
  readonly drafts: readonly (Omit<Draft, 'labels' | 'lsn'> & {
    readonly labels: readonly string[];
    readonly lsn?: string;
  })[];
  /** From the 10th on, as hexadecimal digits. */
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

/** `<u32 a, u32 b>` pairs. */
function pairsOf(bytes: Uint8Array): [number, number][] {
  const view = Buffer.from(bytes);
  return Array.from({ length: view.length / 8 }, (_, i) => [view.readUInt32LE(i * 8), view.readUInt32LE(i * 8 + 4)]);
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
  it.each(vectors)('are those of the protocol: $name', ({ slots, hashes, drafts: shown, arguments: expected }) => {
    const request = appendRequest(shown.map(fromShown), { slots, hashes });
    expect(request.map((argument) => Buffer.from(argument).toString('hex'))).toEqual(expected);
  });

  it('part all records, in order, into entries of at most 32 that are closed at 4 KiB', () => {
    fc.assert(
      fc.property(fc.array(drafts, { minLength: 1, maxLength: 100 }), (list) => {
        const [records, parts] = appendRequest(list, shape) as [Uint8Array, Uint8Array];
        const sizes = list.map((draft) => 4 + encodeDraft(draft).length);
        let [next, end] = [0, 0];
        for (const [count, bytes] of pairsOf(parts)) {
          const mine = sizes.slice(next, next + count);
          const size = mine.reduce((sum, each) => sum + each, 0);
          expect(bytes).toBe(size);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(32);
          expect(size - (mine.at(-1) ?? 0)).toBeLessThan(4_096);
          next += count;
          end += bytes;
        }
        expect([next, end]).toEqual([list.length, records.length]);
      }),
    );
  });

  it('write slots for each label of each record, but none for what is only announced', () => {
    fc.assert(
      fc.property(fc.array(drafts, { maxLength: 20 }), (list) => {
        const slots = Buffer.from(appendRequest(list, shape)[2] as Uint8Array);
        let at = 0;
        for (const { kind, labels } of list) {
          const count = slots.readUInt32LE(at);
          expect(count).toBe(kind === 'announce' ? 0 : labels.length * shape.hashes);
          at += 4 + 4 * count;
        }
        expect(at).toBe(slots.length);
      }),
    );
  });

  it('say of each record what else it does, in groups of four that name it by its index', () => {
    fc.assert(
      fc.property(fc.array(drafts, { maxLength: 20 }), (list) => {
        const [, , , ...rest] = appendRequest(list, shape);
        const groups = rest.map((argument) => Buffer.from(argument).toString());
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
