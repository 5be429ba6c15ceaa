/** What stands for all values of a label beyond its bound. */
export const OTHER = '(other)';

/** Counts by a label whose values come from outside: only so many get a count of their own, the first that are seen. */
export class LabelValues {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  add(value: string): void {
    const known = this.#counts.has(value) || this.#counts.size < this.#most;
    const name = known ? value : OTHER;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
