/** Most keys. */
const MOST = 10_000;

/** The keys that were set last, in order: what there is to iterate over. */
export class KeptKeys {
  readonly #names = new Set<string>();

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= MOST) return;
    for (const oldest of this.#names) {
      this.#names.delete(oldest);
      return;
    }
  }

  remove(name: string): void {
    this.#names.delete(name);
  }

  /** Those that begin so, as they are now. */
  below(prefix: string): string[] {
    return [...this.#names].filter((name) => name.startsWith(prefix));
  }

  clear(prefix: string): void {
    for (const name of this.below(prefix)) this.#names.delete(name);
  }
}
