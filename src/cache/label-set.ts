import { LRUCache } from 'lru-cache';
import { ancestors } from '../coherence/key.ts';
import { keyLabel, type Label, tagLabel, uniteLabels } from '../coherence/label.ts';

/** The labels of an entry but its own key's: those of the keys above it and of its tags. Shared by entries that have the same. */
export interface LabelSet {
  readonly labels: readonly Label[];
  /** The tags that are certainly among the labels. */
  readonly tags: readonly string[];
}

/** Makes label sets, each once while it is in use: most entries share theirs with many. */
export class LabelSets {
  readonly #recent = new LRUCache<string, LabelSet>({ max: 2_000 });

  /** The set of an entry under a canonical key with these tags. */
  of(key: string, tags: readonly string[]): LabelSet {
    const parent = parentOf(key);
    // Tags hold no line breaks and are never empty, keys may hold anything: so the tags come first, and an empty line ends them.
    const name = tags.length === 0 ? `\n${parent}` : `${tags.join('\n')}\n\n${parent}`;
    const known = this.#recent.get(name);
    if (known !== undefined) return known;
    const above = parent === '' ? [] : [...ancestors(parent), parent];
    const set = { labels: [...above.map(keyLabel), ...tags.map(tagLabel)], tags: [...tags] };
    this.#recent.set(name, set);
    return set;
  }

  /** The set that has the labels of both: two call sites, or two releases, may tag differently. */
  unite(set: LabelSet, others: LabelSet): LabelSet {
    const labels = uniteLabels(set.labels, others.labels);
    if (labels === set.labels && includesAll(set.tags, others.tags)) return set;
    return { labels, tags: [...new Set([...set.tags, ...others.tags])] };
  }
}

/** Whether every tag is among those of a set. */
export function includesAll(known: readonly string[], tags: readonly string[]): boolean {
  if (known === tags) return true;
  for (const tag of tags) if (!known.includes(tag)) return false;
  return true;
}

function parentOf(key: string): string {
  if (key.includes('\\')) return ancestors(key).at(-1) ?? '';
  const at = key.lastIndexOf(':');
  return at === -1 ? '' : key.slice(0, at);
}
