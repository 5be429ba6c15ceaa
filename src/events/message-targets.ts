import { ancestors, escapeSegment } from '../coherence/key.ts';
import { keyLabel, labelText, tagLabel } from '../coherence/label.ts';
import type { LogRecord } from '../coherence/record.ts';
import { everything, key, pattern, type Target, tag } from '../coherence/target.ts';

/** What a record covers, as far as its texts say it. */
export interface Covered {
  readonly targets: readonly Target[];
  /** `false`: the texts do not account for all that the record covers, so it is taken for everything. */
  readonly exact: boolean;
}

/**
 * The targets of a record, read from its texts. They are checked against its labels and patterns, which are what decides for
 * caches: a text that is missing, cut or of a newer release leaves a label over, and then only everything is certain.
 */
export function targetsOf(record: LogRecord): Covered {
  // One that cannot be read has no origin, see `decodeRecord`.
  if (record.kind === 'everything') return { targets: [everything()], exact: record.origin !== '' };
  const targets = (record.targets ?? []).flatMap((text) => readTarget(text) ?? []);
  const labels = new Set(record.labels.map(labelText));
  const patterns = new Set(record.patterns);
  for (const it of targets) {
    if (it.kind === 'key') labels.delete(labelText(keyLabel(it.key)));
    else if (it.kind === 'tag') labels.delete(labelText(tagLabel(it.tag)));
    else if (it.kind === 'pattern') patterns.delete(it.pattern);
  }
  const literals = labels.size === 0 ? [] : targets.flatMap(literalsOf).filter((it) => labels.delete(labelOf(it)));
  if (labels.size > 0 || patterns.size > 0) return { targets: [everything()], exact: false };
  return { targets: [...targets, ...literals.map((text) => key(text))], exact: true };
}

function readTarget(text: string): Target | undefined {
  const end = text.indexOf(' ');
  const rest = text.slice(end + 1);
  try {
    switch (end === -1 ? text : text.slice(0, end)) {
      case 'key':
        return key(rest);
      case 'tag':
        return tag(rest);
      case 'pattern':
        return pattern(rest);
      case 'everything':
        return everything();
      default:
        return undefined;
    }
  } catch {
    return undefined; // What no target can be leaves its label over.
  }
}

/** The second reading of `key('fr:budgets', 'ORG1')`, in which the first argument is one segment; its text names only the first. */
function literalsOf(it: Target): string[] {
  if (it.kind !== 'key') return [];
  return ancestors(it.key)
    .filter((head) => head.includes(':'))
    .map((head) => escapeSegment(head) + it.key.slice(head.length));
}

function labelOf(text: string): string {
  return labelText(keyLabel(text));
}
