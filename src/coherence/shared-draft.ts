import { addCoverage, type Coverage, type Draft } from './record.ts';
import { describeTarget, type Target } from './target.ts';

/** Most labels and patterns in a record that several calls share. */
const MOST = 128;

/** A draft whose lists belong to nobody else, and may grow until it is sent. */
export interface GrowingDraft extends Draft, Coverage {
  readonly labels: Coverage['labels'];
  readonly patterns: Coverage['patterns'];
  readonly targets: string[];
}

/**
 * Adds the targets of another call to a draft. Nothing is made for that but what has to be: thousands of calls may come in
 * one turn.
 *
 * @returns whether it was done: not where more is told of the draft than what it covers, where one of the targets is
 * everything, or where it would become too large
 */
export function join(draft: GrowingDraft, targets: readonly Target[]): boolean {
  if (!isPlain(draft) || draft.labels.length + draft.patterns.length + weight(targets) > MOST) return false;
  for (const it of targets) {
    addCoverage(draft, it);
    draft.targets.push(describeTarget(it));
  }
  return true;
}

/** Whether nothing is told of it but what it covers. */
function isPlain({ kind, cause, lsn, confirm }: Draft): boolean {
  return kind === 'invalidate' && cause === undefined && lsn === undefined && confirm !== true;
}

/** How many labels and patterns they need. */
function weight(targets: readonly Target[]): number {
  let sum = 0;
  for (const it of targets) {
    if (it.kind === 'everything') return Number.POSITIVE_INFINITY;
    sum += it.kind === 'key' && it.literal !== undefined ? 2 : 1;
  }
  return sum;
}
