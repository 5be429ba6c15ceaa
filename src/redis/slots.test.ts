import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TideTable } from '../coherence/tide-table.ts';
import type { Label } from '../coherence/label.ts';
import { ByteWriter } from '../coherence/byte-writer.ts';
import { packSlots, writeSlots } from './slots.ts';

interface Vector {
  readonly label: string;
  readonly slots: number;
  readonly hashes: number;
  readonly at: readonly number[];
}

const vectors = JSON.parse(readFileSync(new URL('../../test/vectors/slots.json', import.meta.url), 'utf8')) as Vector[];

function labelOf(text: string): Label {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function unpacked(bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes);
  return Array.from({ length: buffer.length / 4 }, (_, i) => buffer.readUInt32LE(i * 4));
}

const labels = fc.array(fc.record({ high: fc.integer(), low: fc.integer() }), { maxLength: 20 });
const shapes = fc.record({ slots: fc.constantFrom(16, 1024, 2 ** 28), hashes: fc.integer({ min: 1, max: 8 }) });
/** Small enough to make a table of. */
const smallShapes = fc.record({ slots: fc.constantFrom(16, 64, 1024), hashes: fc.integer({ min: 1, max: 8 }) });

describe('packed slots', () => {
  it.each(vectors)('are those of the protocol: $label in $slots, $hashes each', ({ label, at, ...shape }) => {
    expect(unpacked(packSlots([labelOf(label)], shape))).toEqual(at);
  });

  it('are within the table, the same number for each label, one label after the other', () => {
    fc.assert(
      fc.property(labels, shapes, (list, shape) => {
        const all = unpacked(packSlots(list, shape));
        expect(all).toEqual(list.flatMap((label) => unpacked(packSlots([label], shape))));
        expect(all).toHaveLength(list.length * shape.hashes);
        expect(all.every((slot) => slot < shape.slots)).toBe(true);
      }),
    );
  });

  it('are the slots that the table itself writes', () => {
    fc.assert(
      fc.property(labels, smallShapes, (list, shape) => {
        const table = new TideTable(shape.slots, shape.hashes);
        for (const label of list) table.raise(label, 1);
        const bytes = Buffer.from(table.toBytes());
        const written = Array.from({ length: shape.slots }, (_, i) => i).filter((i) => bytes.readDoubleLE(i * 8) === 1);
        expect([...new Set(unpacked(packSlots(list, shape)))].sort((a, b) => a - b)).toEqual(written);
      }),
    );
  });

  it('are written behind what a writer has', () => {
    const writer = new ByteWriter(16, 'INVALID_RECORD').u32(9);
    writeSlots(writer, [{ high: 5, low: 2 }], { slots: 16, hashes: 3 });
    expect(unpacked(writer.done())).toEqual([9, 5, 8, 11]);
  });
});
