import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ninesOf } from './nines.ts';
import { addCounts, consistencyScore, type SampleCounts, SampleHistory } from './sample-counts.ts';

function counts(some: Partial<SampleCounts>): SampleCounts {
  return { ...addCounts([]), ...some };
}

describe('nines', () => {
  it('are never more than so many samples can show', () => {
    // The rule of three: 3,000 samples without a failure are 99.9 %, with 95 % certainty.
    expect(ninesOf(counts({ same: 2_900 }))[0]).toMatchObject({ older: 0, share: 1, nines: 2.9, most: 2.9 });
    expect(ninesOf(counts({ same: 3_000 }))[0]).toMatchObject({ nines: 3, most: 3 });
    expect(ninesOf(counts({ same: 30_000 }))[0]).toMatchObject({ nines: 4, most: 4 });
    expect(ninesOf(counts({ same: 2 }))[0]).toMatchObject({ nines: 0, most: 0, share: 1 });
    expect(ninesOf(counts({}))[0]).toMatchObject({ samples: 0, share: undefined, nines: 0, most: 0 });
  });

  it('are by level: what was covered in time is not older', () => {
    const levels = ninesOf(
      counts({ same: 9_000, within100ms: 500, within1s: 300, within10s: 150, later: 40, violations: 10 }),
    );
    expect(levels.map(({ within, older }) => [within, older])).toEqual([
      [100, 500],
      [1_000, 200],
      [10_000, 50],
    ]);
    // 50 of 10,000 would be 2.3; up to 63 of them are within what chance allows.
    expect(levels[2]).toMatchObject({ share: 0.995, nines: 2.1, most: 3.5 });
  });

  it('do not count what was not judged', () => {
    expect(ninesOf(counts({ same: 3, unstable: 5, mutated: 1, unknown: 7, failed: 2 }))[0]?.samples).toBe(3);
  });

  it('are at most those of the share that was seen', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(1_000), (same, violations) => {
        for (const { share, nines, most } of ninesOf(counts({ same, violations }))) {
          expect(nines).toBeLessThanOrEqual(most);
          expect(nines).toBeLessThanOrEqual(-Math.log10(1 - (share ?? 0)));
        }
      }),
    );
  });
});

describe('the score', () => {
  it('is the mean of what each sample is worth', () => {
    expect(consistencyScore(counts({}))).toBeUndefined();
    expect(consistencyScore(counts({ same: 1, unstable: 9 }))).toBe(100);
    expect(consistencyScore(counts({ same: 1, within100ms: 1, within1s: 1, within10s: 1 }))).toBe(85);
    expect(consistencyScore(counts({ same: 18, later: 1, violations: 1 }))).toBe(90);
  });

  it('is of the window: what is older no longer counts', () => {
    const history = new SampleHistory(60_000);
    history.add('violations', 0);
    history.add('same', 30_000);
    expect(history.recent(59_000)).toMatchObject({ same: 1, violations: 1 });
    expect(history.recent(61_000)).toMatchObject({ same: 1, violations: 0 });
    history.add('same', 120_000);
    expect(history.recent(120_000)).toMatchObject({ same: 1, violations: 0 });
    expect(history.total).toMatchObject({ same: 2, violations: 1 });
  });
});
