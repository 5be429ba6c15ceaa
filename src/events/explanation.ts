import type { Outlook } from '../cache/outlook.ts';
import type { Target } from '../coherence/target.ts';
import type { Step } from './cascade.ts';
import type { Verdict } from './judgement.ts';

/** What would come of an event, and why. */
export interface Explanation {
  /** Whether any strategy has rules for its type. */
  readonly known: boolean;
  /** What each of these rules says. */
  readonly rules: readonly Verdict[];
  /** What the targets of rules imply. */
  readonly implied: readonly Step[];
  /** What would be invalidated. */
  readonly targets: readonly Target[];
  /** What rules in shadow would invalidate besides, were they on. */
  readonly shadowed: readonly Target[];
  /** The entries in this process's memory that the targets cover; `undefined` where the cache cannot tell. */
  readonly entries: Outlook | undefined;
}
