import { keyOf } from '../coherence/key.ts';
import { Reach } from '../coherence/reach.ts';
import type { Target } from '../coherence/target.ts';
import type { View } from '../coherence/view.ts';
import type { MemoryTier } from './memory-tier.ts';

/** What an invalidation would take from the memory of this process. */
export interface Outlook {
  /** Canonical keys, the least recently used first; at most so many as were asked for. Kept in two versions, a key stands twice. */
  readonly keys: readonly string[];
  /** How many more there are. */
  readonly more: number;
}

/**
 * Looks ahead at what targets would cover. Only what could be served is named: what has expired, or is covered already, has
 * nothing to lose. Nothing is served and nothing counts as used.
 *
 * @param now the reading of the stopwatch that entries are dated by
 * @param most how many keys are named
 */
export function outlook(
  memory: MemoryTier,
  view: View,
  now: number,
  targets: readonly Target[],
  most: number,
): Outlook {
  const reach = new Reach(targets);
  const keys: string[] = [];
  let more = 0;
  for (const [place, entry] of memory.oldestFirst()) {
    if (!entry.freshAt(now) || !reach.covers(entry, place) || view.cover(entry, place) !== undefined) continue;
    if (keys.length < most) keys.push(keyOf(place));
    else more++;
  }
  return { keys, more };
}
