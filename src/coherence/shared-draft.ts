import type { Label } from './label.ts';
import type { Draft } from './record.ts';

/** Most labels and patterns in a record that several calls share. */
const MOST = 128;

/** A draft of several calls, whose lists are its own and grow. */
interface SharedDraft extends Draft {
  readonly labels: Label[];
  readonly patterns: string[];
  readonly targets: string[];
}

const shared = new WeakSet<Draft>();

/**
 * One draft that covers what both cover, in the place of the first; `undefined` where they are not to be told apart from one
 * another only by what they cover, or would be too large together.
 */
export function unite(draft: Draft, other: Draft): Draft | undefined {
  if (!isPlain(draft) || !isPlain(other) || sizeOf(draft) + sizeOf(other) > MOST) return undefined;
  const together = isShared(draft) ? draft : sharedOf(draft);
  together.labels.push(...other.labels);
  together.patterns.push(...other.patterns);
  together.targets.push(...(other.targets ?? []));
  return together;
}

/** Whether nothing is told of it but what it covers. */
function isPlain({ kind, cause, lsn, confirm }: Draft): boolean {
  return kind === 'invalidate' && cause === undefined && lsn === undefined && confirm !== true;
}

function sizeOf({ labels, patterns }: Draft): number {
  return labels.length + patterns.length;
}

function isShared(draft: Draft): draft is SharedDraft {
  return shared.has(draft);
}

function sharedOf(draft: Draft): SharedDraft {
  const { labels, patterns, targets = [] } = draft;
  const made = { ...draft, labels: [...labels], patterns: [...patterns], targets: [...targets] };
  shared.add(made);
  return made;
}
