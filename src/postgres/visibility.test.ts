import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { fullXid, isVisible, parseSnapshot } from './visibility.ts';

describe('a snapshot', () => {
  const view = parseSnapshot('748:752:748,750');

  it('is read from its text', () => {
    expect(view).toEqual({ xmin: 748n, xmax: 752n, running: new Set([748n, 750n]) });
    expect(parseSnapshot('10:10:').running.size).toBe(0);
    for (const text of ['', '1:2', 'x', undefined, '1:2:3;4'])
      expect(() => parseSnapshot(text)).toThrow(/is no snapshot/);
  });

  it('says who is visible', () => {
    const visible = [747n, 748n, 749n, 750n, 751n, 752n, 753n].filter((xid) => isVisible(xid, view));
    expect(visible).toEqual([747n, 749n, 751n]);
  });
});

describe('the whole id of a transaction', () => {
  const full = (half: number, xmax: bigint): bigint => fullXid(half, { xmin: xmax, xmax, running: new Set() });

  it('is the one nearest to the snapshot', () => {
    expect(full(5, 7n)).toBe(5n);
    expect(full(3, 2n ** 32n + 1n)).toBe(2n ** 32n + 3n);
    // Before and after the half begins anew.
    expect(full(0xffffffff, 2n ** 32n + 5n)).toBe(2n ** 32n - 1n);
    expect(full(3, 2n ** 33n - 2n)).toBe(2n ** 33n + 3n);
  });

  it('does not mind the sign that the client gives it', () => {
    expect(full(-1, 2n ** 32n + 5n)).toBe(2n ** 32n - 1n);
    expect(full(0x90000000 | 0, 0x90000010n)).toBe(0x90000000n);
  });

  it('is found again from any snapshot less than 2^31 away', () => {
    const far = 2n ** 31n - 1n;
    fc.assert(
      fc.property(fc.bigInt(far, 2n ** 60n), fc.bigInt(-far, far), (xid, distance) => {
        expect(full(Number(BigInt.asIntN(32, xid)), xid + distance)).toBe(xid);
      }),
    );
  });
});
