/** How often each thing happened, by group and name. */
export type Tally = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Counts what runs do, so that a simulation can tell what it has tried. */
export class Counts {
  readonly #groups = new Map<string, Map<string, number>>();

  add(group: string, name: string, by = 1): void {
    let names = this.#groups.get(group);
    if (names === undefined) {
      names = new Map();
      this.#groups.set(group, names);
    }
    names.set(name, (names.get(name) ?? 0) + by);
  }

  /** Adds what another has counted. */
  merge(tally: Tally): void {
    for (const [group, names] of Object.entries(tally)) {
      for (const [name, count] of Object.entries(names)) this.add(group, name, count);
    }
  }

  tally(): Tally {
    return Object.fromEntries([...this.#groups].map(([group, names]) => [group, Object.fromEntries(names)]));
  }
}

/** One line a group, the most frequent first. */
export function describeTally(tally: Tally): string {
  return Object.entries(tally)
    .map(([group, names]) => {
      const parts = Object.entries(names).sort(([, a], [, b]) => b - a);
      return `  ${group}: ${parts.map(([name, count]) => `${name} ${count}`).join(', ')}`;
    })
    .join('\n');
}
