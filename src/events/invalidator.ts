import type { Outlook } from '../cache/outlook.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';

/** The part of a cache that rules need. */
export interface Invalidator {
  invalidate(targets: readonly Target[], options: { cause: Cause; id?: string }): Promise<Receipt>;
  /** For `explain`, and to measure in shadow. */
  wouldCover?(targets: readonly Target[], options: { most?: number }): Outlook;
}
