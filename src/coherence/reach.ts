import { globMatches } from './glob.ts';
import { plainKey } from './key.ts';
import { type Label, sameLabel } from './label.ts';
import { coverageOf } from './record.ts';
import type { Target } from './target.ts';

/**
 * What targets cover, asked before anything is invalidated. Exact, where a tide table may take one label for another; and
 * it decides nothing: what may be served is `View.cover`'s to say.
 */
export class Reach {
  readonly #everything: boolean;
  /** By the first half, so that a look allocates nothing. */
  readonly #labels = new Map<number, Label[]>();
  readonly #patterns: readonly string[];

  constructor(targets: readonly Target[]) {
    const { kind, labels, patterns } = coverageOf(targets);
    this.#everything = kind === 'everything';
    this.#patterns = patterns;
    for (const label of labels) {
      const known = this.#labels.get(label.high);
      if (known === undefined) this.#labels.set(label.high, [label]);
      else known.push(label);
    }
  }

  /**
   * Whether they cover an entry.
   *
   * @param it the label of its key, and those of the keys above it and of its tags
   * @param place its canonical key, or the place of it
   */
  covers(it: Label & { readonly shared: readonly Label[] }, place: string): boolean {
    if (this.#everything || this.#has(it)) return true;
    for (const label of it.shared) if (this.#has(label)) return true;
    if (this.#patterns.length === 0) return false;
    const plain = plainKey(place);
    return this.#patterns.some((pattern) => globMatches(pattern, plain));
  }

  #has(label: Label): boolean {
    return this.#labels.get(label.high)?.some((known) => sameLabel(known, label)) ?? false;
  }
}
