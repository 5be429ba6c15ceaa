import { describe, expect, test } from 'vitest';
import { keyLabel } from '../../src/coherence/label.ts';
import type { LogRecord } from '../../src/coherence/record.ts';
import { View } from '../../src/coherence/view.ts';
import type { GuardProfile } from './guard-profile.ts';
import { GUARD_PROFILES, REDUNDANT } from './guard-profiles.ts';
import { GUARDS } from './guard-names.ts';
import { type AnyGuard, tryOut } from './trial.ts';

/** So many seeds, from 1 on, are enough for each guard. */
const SEEDS = 300;

/** The first seed that shows a promise broken, where some guards are taken out. */
async function firstFound(it: GuardProfile, without: readonly AnyGuard[], seeds: number): Promise<number | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await tryOut(seed, it.profile, without);
    if (violations.some(({ promise }) => it.promises?.includes(promise) ?? true)) return seed;
  }
  return undefined;
}

describe('a guard that is taken out is missed', () => {
  test.each(GUARD_PROFILES)('$guard', { timeout: 120_000 }, async (it) => {
    const others = it.together ?? [];
    const found = await firstFound(it, [it.guard, ...others], SEEDS);
    expect(found, `no violation on ${SEEDS} seeds`).toBeDefined();
    // With the guard in place the same setting shows nothing.
    expect(await firstFound(it, others, Math.min(found ?? 0, 5))).toBeUndefined();
  });

  test('every guard is either missed, or known to be redundant', () => {
    const known = [...GUARD_PROFILES.map((it) => it.guard), ...Object.keys(REDUNDANT)];
    expect([...known].sort()).toEqual([...GUARDS].sort());
  });

  test('announcements: an open one withholds what it covers', () => {
    const own = keyLabel('user:42');
    const marked = { epoch: 'e', mark: 5, ...own, shared: [] };
    const why = (removed: ConstructorParameters<typeof View>[1]): string | undefined => {
      const view = new View({ slots: 16, hashes: 3 }, removed);
      view.epoch = 'e';
      const announced = { kind: 'announce', id: 'a', origin: 'x', labels: [own], patterns: [], time: 0 } as const;
      view.apply({ ...announced, number: 1, prev: 0 } satisfies LogRecord);
      return view.cover(marked, 'user:42');
    };
    expect(why(new Set())).toBe('announcement');
    expect(why(new Set(['announcements']))).toBeUndefined();
  });
});
