import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidemarkError } from './errors.ts';
import { keyLabel, tagLabel } from './label.ts';
import type { Snapshot } from './log.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import { TideTable } from './tide-table.ts';

function sample(): Snapshot {
  const table = new TideTable(16, 3);
  table.raise(keyLabel('user:42'), 90);
  return {
    epoch: '0123456789abcdef',
    head: 100,
    floor: 10,
    table: table.toBytes(),
    bans: [
      { number: 20, pattern: 'a:*', time: 1_763_690_000_123 },
      { number: 30, pattern: 'café:?', time: 0.5 },
    ],
    announcements: [
      {
        id: '00112233445566778899aabbccddeeff',
        number: 50,
        labels: [keyLabel('a'), tagLabel('b')],
        patterns: ['x*', 'y*'],
      },
      { id: 'ffeeddccbbaa99887766554433221100', number: 60, labels: [], patterns: [] },
    ],
    lsn: 77n,
    options: { slots: 16, hashes: 3, maxLag: 2_000, maxLife: 86_400_000 },
    provenAt: undefined,
  };
}

function plain(snapshot: Snapshot): Snapshot {
  return { ...snapshot, table: Uint8Array.from(snapshot.table) };
}

const version1 =
  '010123456789abcdef0000000000005940000000000000244000000000000000000010000000030000000000409f40000000007099944100000000000000000000000000';

/** The code of what `work` refused with; `undefined` when it did not. Anything but a TidemarkError shows itself. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error);
  }
}

describe('a snapshot as bytes', () => {
  it('comes back as it was', () => {
    expect(plain(decodeSnapshot(encodeSnapshot(sample())))).toEqual(sample());
  });

  it.each([undefined, 'unknown', 0n] as const)('keeps an LSN of %s', (lsn) => {
    expect(decodeSnapshot(encodeSnapshot({ ...sample(), lsn })).lsn).toBe(lsn);
  });

  it('leaves the date of its proof behind', () => {
    expect(decodeSnapshot(encodeSnapshot({ ...sample(), provenAt: 5 })).provenAt).toBeUndefined();
  });

  it('is read in format version 1 for ever', () => {
    const empty: Snapshot = { ...sample(), table: new Uint8Array(128), bans: [], announcements: [], lsn: undefined };
    const hex = `${version1.slice(0, -10)}${'00'.repeat(128)}`;
    expect(Buffer.from(encodeSnapshot(empty)).toString('hex')).toBe(hex);
    expect(plain(decodeSnapshot(Buffer.from(hex, 'hex')))).toEqual(empty);
  });

  it('that is cut, lengthened or of another version is refused: half a snapshot proves nothing', () => {
    const bytes = encodeSnapshot(sample());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSnapshot(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'INVALID_RECORD' }),
      );
    }
    expect(() => decodeSnapshot(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(
      'a table of 16 slots does not have 129 bytes',
    );
    bytes[0] = 2;
    expect(() => decodeSnapshot(bytes)).toThrow('snapshot version 2 is unknown');
  });

  it('of arbitrary bytes is refused or read, and nothing else', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = encodeSnapshot(sample());
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        expect([undefined, 'INVALID_RECORD']).toContain(refusal(() => decodeSnapshot(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, Partial<Snapshot>, string]>([
    ['epoch', { epoch: 'xyz' }, '"xyz" cannot be written. Give 16 lower-case hexadecimal digits.'],
    ['head', { head: -1 }, 'Position -1 is not an integer'],
    [
      'ban',
      { bans: [{ number: 1, pattern: 'a', time: Number.NaN }] },
      'NaN cannot be written. Give a finite number that is not negative.',
    ],
  ])('is not made of a bad %s', (_, change, message) => {
    expect(() => encodeSnapshot({ ...sample(), ...change })).toThrow(message);
  });
});
