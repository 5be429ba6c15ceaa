import { ancestors, plainKey } from '../coherence/key.ts';
import { keyLabel, type Label, labelText, sameLabel, tagLabel } from '../coherence/label.ts';
import type { Marked, View } from '../coherence/view.ts';

/** Something that an entry depends on, and the newest record that covers it. */
export interface InspectedLabel {
  /** 16 hexadecimal digits. */
  readonly label: string;
  /** `key user`, `tag org:7`; `undefined` where only the label is known, of a tag in the store. */
  readonly name: string | undefined;
  /**
   * The number of the newest record that covers it, or something that collides with it in the tide table; 0 where there is none.
   */
  readonly newest: number;
  /** Whether that is after the entry's mark. */
  readonly covers: boolean;
}

/** @param key canonical; @param tags which the value may have: their names, where its labels are theirs */
export function labelsOf(view: View, key: string, marked: Marked, tags: readonly string[]): readonly InspectedLabel[] {
  const known = [
    ...[...ancestors(key), key].map((it): Named => [keyLabel(it), `key ${plainKey(it)}`]),
    ...tags.map((it): Named => [tagLabel(it), `tag ${it}`]),
  ];
  return [marked, ...marked.shared].map((label) => {
    const newest = view.newest(label);
    return { label: labelText(label), name: nameOf(label, known), newest, covers: !(newest <= marked.mark) };
  });
}

type Named = readonly [label: Label, name: string];

function nameOf(label: Label, known: readonly Named[]): string | undefined {
  return known.find(([it]) => sameLabel(it, label))?.[1];
}
