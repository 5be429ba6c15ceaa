import { describe, expect, test } from 'vitest';
import { profileNamed, tryOut } from './trial.ts';

/** Of shadow reads on so many seeds: outcomes, and how often each came about. */
async function outcomes(seeds: number, without: readonly 'writeOrder'[] = []): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const { counts } = await tryOut(seed, profileNamed('shadowLoads'), without);
    for (const [outcome, count] of Object.entries(counts.tally()['shadow'] ?? {}))
      found[outcome] = (found[outcome] ?? 0) + count;
  }
  return found;
}

describe('what shadow reads hold against the cache', () => {
  test('is nothing where every change is invalidated', { timeout: 60_000 }, async () => {
    const { differed = 0, same = 0, changed = 0, miss = 0 } = await outcomes(10);
    expect(differed).toBe(0);
    for (const count of [same, changed, miss]) expect(count).toBeGreaterThan(0);
  });

  test('is something where writers invalidate before they commit', { timeout: 60_000 }, async () => {
    const { differed = 0 } = await outcomes(10, ['writeOrder']);
    expect(differed).toBeGreaterThan(0);
  });
});
