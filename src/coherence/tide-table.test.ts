import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyLabel, type Label, labelText, tagLabel } from './label.ts';
import { DEFAULT_SLOTS, TideTable } from './tide-table.ts';

interface Vector {
  readonly key?: string;
  readonly label: string;
  readonly slots: number;
  readonly hashes: number;
  readonly at: readonly number[];
}

const vectors = JSON.parse(readFileSync(new URL('../../test/vectors/slots.json', import.meta.url), 'utf8')) as Vector[];

function labelOf(text: string): Label {
  return { high: Number.parseInt(text.slice(0, 8), 16) | 0, low: Number.parseInt(text.slice(8), 16) | 0 };
}

function slotsOf(table: TideTable): number[] {
  const bytes = table.toBytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: table.slots }, (_, i) => view.getFloat64(i * 8, true));
}

const labels = fc.record({ high: fc.integer(), low: fc.integer() });
const positions = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const records = fc.array(fc.tuple(labels, positions), { maxLength: 200 });
const shapes = fc.record({ slots: fc.constantFrom(16, 64, 1024), hashes: fc.integer({ min: 1, max: 8 }) });

function filled(shape: { slots: number; hashes: number }, list: readonly [Label, number][]): TideTable {
  const table = new TideTable(shape.slots, shape.hashes);
  for (const [label, number] of list) table.raise(label, number);
  return table;
}

describe('the slots of a label', () => {
  it.each(vectors)('are for ever: $label in $slots, $hashes each', ({ key, label, slots, hashes, at }) => {
    expect(key === undefined ? label : labelText(keyLabel(key))).toBe(label);
    const table = filled({ slots, hashes }, [[labelOf(label), 7]]);
    expect(slotsOf(table).flatMap((number, slot) => (number === 7 ? [slot] : []))).toEqual(
      [...at].sort((a, b) => a - b),
    );
  });

  it('are as many as there are hashes, however small the table', () => {
    fc.assert(
      fc.property(shapes, labels, (shape, label) => {
        expect(slotsOf(filled(shape, [[label, 1]])).filter((number) => number === 1)).toHaveLength(shape.hashes);
      }),
    );
  });
});

describe('TideTable', () => {
  it('never says a label is older than it is', () => {
    fc.assert(
      fc.property(shapes, records, (shape, list) => {
        const table = filled(shape, list);
        const truth = new Map<string, number>();
        for (const [label, number] of list)
          truth.set(labelText(label), Math.max(number, truth.get(labelText(label)) ?? 0));
        for (const [label] of list)
          expect(table.newest(label)).toBeGreaterThanOrEqual(truth.get(labelText(label)) as number);
      }),
    );
  });

  it('says of a label the smallest of its slots, so that one collision does no harm', () => {
    fc.assert(
      fc.property(shapes, records, labels, (shape, list, label) => {
        const own = slotsOf(filled(shape, [[label, 1]]));
        const written = slotsOf(filled(shape, list)).filter((_, slot) => own[slot] === 1);
        expect(filled(shape, list).newest(label)).toBe(Math.min(...written));
      }),
    );
  });

  it('never invents a position: collisions borrow one that was written', () => {
    fc.assert(
      fc.property(shapes, records, labels, (shape, list, other) => {
        const newest = filled(shape, list).newest(other);
        expect([0, ...list.map(([, number]) => number)]).toContain(newest);
      }),
    );
  });

  it('never goes back, whatever order records come in', () => {
    fc.assert(
      fc.property(shapes, records, labels, (shape, list, watched) => {
        const table = new TideTable(shape.slots, shape.hashes);
        let before = 0;
        for (const [label, number] of list) {
          table.raise(label, number);
          expect(table.newest(watched)).toBeGreaterThanOrEqual(before);
          before = table.newest(watched);
        }
        expect(slotsOf(filled(shape, list.toReversed()))).toEqual(slotsOf(table));
      }),
    );
  });

  it('merges to the larger of each slot, as if one table had seen both', () => {
    fc.assert(
      fc.property(shapes, records, records, (shape, some, others) => {
        const merged = filled(shape, some);
        merged.merge(filled(shape, others).toBytes());
        expect(slotsOf(merged)).toEqual(slotsOf(filled(shape, [...some, ...others])));
      }),
    );
  });

  it('is the same after a round trip through bytes, which is a copy', () => {
    fc.assert(
      fc.property(shapes, records, records, (shape, list, later) => {
        const table = filled(shape, list);
        const bytes = table.toBytes();
        const copy = filled(shape, later);
        copy.replace(bytes);
        expect(slotsOf(copy)).toEqual(slotsOf(table));
        table.raise({ high: 1, low: 1 }, Number.MAX_SAFE_INTEGER);
        expect(slotsOf(copy)).not.toEqual(slotsOf(table));
      }),
    );
  });

  it('reads bytes wherever they lie in their buffer', () => {
    const bytes = filled({ slots: 16, hashes: 3 }, [[tagLabel('t'), 9]]).toBytes();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const table = new TideTable(16);
    table.merge(shifted.subarray(3));
    expect(table.newest(tagLabel('t'))).toBe(9);
  });

  it('refuses a copy of another size, and one with something that is no position, before it changes anything', () => {
    const table = filled({ slots: 16, hashes: 3 }, [[tagLabel('t'), 9]]);
    const before = slotsOf(table);
    const broken = new Uint8Array(16 * 8);
    new DataView(broken.buffer).setFloat64(0, 5, true);
    new DataView(broken.buffer).setFloat64(8, Number.NaN, true);
    for (const change of [(bytes: Uint8Array) => table.merge(bytes), (bytes: Uint8Array) => table.replace(bytes)]) {
      expect(() => change(new Uint8Array(32 * 8))).toThrow(
        'A table of 32 slots does not fit one of 16. Table size belongs to the log',
      );
      expect(() => change(broken)).toThrow(
        'The copied table holds something that is not a position. Start a new epoch.',
      );
    }
    expect(slotsOf(table)).toEqual(before);
  });

  it('says how full it is', () => {
    expect(new TideTable(16).fill()).toBe(0);
    expect(filled({ slots: 16, hashes: 4 }, [[tagLabel('t'), 9]]).fill()).toBe(0.25);
  });

  it('takes 2 MiB by default', () => {
    expect(new TideTable().toBytes().length).toBe(DEFAULT_SLOTS * 8);
    expect(DEFAULT_SLOTS * 8).toBe(2 * 1024 * 1024);
  });

  it.each([0, 8, 1000, 2 ** 29, Number.NaN, -16])('refuses %s slots', (slots) => {
    expect(() => new TideTable(slots)).toThrow(/^table slots: .* is not a power of two from 16 to 2\^28\.$/);
  });

  it.each([0, 9, 1.5, Number.NaN])('refuses %s hashes', (hashes) => {
    expect(() => new TideTable(16, hashes)).toThrow(/^table hashes: .* is not an integer from 1 to 8\.$/);
  });
});
