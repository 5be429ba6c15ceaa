import { labelText } from '../coherence/label.ts';
import { type Coverage, coverageOf, type Draft } from '../coherence/record.ts';
import { describeTarget, everything, type Target } from '../coherence/target.ts';

const EVERYTHING = everything();
/** Labels in one record: few enough that a server appends it in about a millisecond. */
const LABELS = 500;

/**
 * What changes make stale, each target once, in bounded memory: beyond a number of targets it is everything.
 */
export class Pile {
  readonly #most: number;
  #targets = new Map<string, Target>();
  #everything: Target | undefined;

  /** @param most targets that are kept apart */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#everything === undefined ? this.#targets.size : 1;
  }

  get isEverything(): boolean {
    return this.#everything !== undefined;
  }

  /** @returns whether this made it everything, because it is too much */
  add(targets: Iterable<Target>): boolean {
    let overflowed = false;
    for (const it of targets) {
      if (this.#everything !== undefined) break;
      if (it.kind === 'everything') this.#collapse(it);
      else this.#targets.set(identityOf(it), it);
      if (this.#targets.size <= this.#most) continue;
      this.#collapse(EVERYTHING);
      overflowed = true;
    }
    return overflowed;
  }

  targets(): Iterable<Target> {
    return this.#everything === undefined ? this.#targets.values() : [this.#everything];
  }

  #collapse(everything: Target): void {
    this.#everything = everything;
    this.#targets.clear();
  }
}

function identityOf(it: Target): string {
  // A key of several arguments may be meant in two ways; no canonical key holds a control character.
  return it.kind === 'key' && it.literal !== undefined ? `${describeTarget(it)}\n${it.literal}` : describeTarget(it);
}

/** What records have to say of targets: several, if they are many. */
export function coveragesOf(targets: Iterable<Target>): (Coverage & Pick<Draft, 'targets'>)[] {
  const all = [...targets];
  const parts: (Coverage & Pick<Draft, 'targets'>)[] = [];
  for (let i = 0; i < all.length; i += LABELS) {
    const part = all.slice(i, i + LABELS);
    parts.push({ ...coverageOf(part), targets: part.map(describeTarget) });
  }
  return parts;
}

/**
 * The targets that messages do not cover: a transaction that has written down what it made stale was captured as well, and says
 * the same twice.
 */
export function beyond(
  targets: Iterable<Target>,
  messages: readonly Pick<Draft, 'kind' | 'labels' | 'patterns'>[],
): Target[] {
  if (messages.some(({ kind }) => kind === 'everything')) return [];
  const labels = new Set(messages.flatMap((it) => it.labels.map(labelText)));
  const patterns = new Set(messages.flatMap((it) => it.patterns));
  return [...targets].filter((target) => {
    const own = coverageOf([target]);
    const covered = own.labels.every((it) => labels.has(labelText(it))) && own.patterns.every((it) => patterns.has(it));
    return own.kind === 'everything' || !covered;
  });
}
