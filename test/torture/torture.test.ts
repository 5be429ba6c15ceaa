import { describe, expect, it } from 'vitest';
import { tell } from '../simulation/story.ts';
import type { FaultName } from './fault.ts';
import { torture, type Verdict } from './torture.ts';

const PROCESSES = 3;
const SECONDS = 4;

/** The first violations, as they happened. */
function stories({ facts, violations }: Verdict): string[] {
  return violations.slice(0, 2).map((violation) => tell(facts, violation));
}

function run(fault: FaultName): Promise<Verdict> {
  return torture({ fault, seconds: SECONDS, processes: PROCESSES, seed: 1 });
}

function isSome(count: number | undefined): boolean {
  return count !== undefined && count > 0;
}

/** Faults that run side by side, each with what shows that it has struck. */
const together: readonly (readonly (readonly [FaultName, string, number])[])[] = [
  [
    ['none', 'receipts applied', 1],
    ['pause', 'detached', 1],
    ['stop-process', 'detached', 1],
  ],
  [
    ['kill', 'epochs', 2],
    ['restart', 'epochs', 2],
    ['evict-metadata', 'epochs', 2],
  ],
  [
    ['failover', 'epochs', 2],
    ['split-brain', 'epochs', 2],
  ],
  [
    ['trim', 'strikes', 1],
    ['kill-process', 'killed', 1],
  ],
];

describe('processes on a real server keep every promise', { timeout: 120_000 }, () => {
  for (const faults of together) {
    it(`through ${faults.map(([name]) => name).join(', ')}`, async () => {
      const verdicts = await Promise.all(
        faults.map(async ([fault, sign, least]) => ({ fault, sign, least, ...(await run(fault)) })),
      );
      for (const { fault, sign, least, ...verdict } of verdicts) {
        expect({ fault, stories: stories(verdict), stale: verdict.stale }).toEqual({ fault, stories: [], stale: 0 });
        for (const name of ['from memory', 'from store', 'from loader', 'writes'])
          expect({ fault, name, count: verdict.counts[name] }).toEqual({
            fault,
            name,
            count: expect.toSatisfy(isSome),
          });
        expect({ fault, sign, count: verdict.counts[sign] }).toEqual({
          fault,
          sign,
          count: expect.toSatisfy((count) => count >= least),
        });
      }
    });
  }
});

describe('the checker sees that processes serve stale values', { timeout: 120_000 }, () => {
  it('where the cache does not look at patterns', async () => {
    const { violations } = await torture({ fault: 'none', without: ['bans'], seconds: 3, processes: 2, seed: 1 });
    expect(violations.map(({ promise }) => promise)).toContain('own write');
  });

  it('where writers forget to invalidate, or delete the key from the store instead', async () => {
    const runs = (['forget', 'delete'] as const).map(async (habit) => {
      const { violations, stale } = await torture({ fault: 'none', habit, seconds: 2, processes: 2, seed: 1 });
      return { stale, promises: new Set(violations.map(({ promise }) => promise)) };
    });
    for (const { stale, promises } of await Promise.all(runs)) {
      expect(promises).toContain('own write');
      expect(promises).toContain('max lag');
      expect(promises).toContain('token');
      expect(stale).toBeGreaterThan(0);
    }
  });
});
