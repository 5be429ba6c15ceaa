/** Most message ids that are remembered: at a thousand records a second, those of a minute and a half. */
const MOST = 100_000;

/** What stands for no message of anybody: records of the log itself, and those that cannot be read. */
const NOBODY = /^(0{32}|f{32})$/;

/**
 * The message ids of the newest records of one epoch. Those that a reading has brought count as seen once the log has proven
 * that it holds their numbers: until then they may come from a server that is no longer the log.
 */
export class LogIds {
  readonly #most: number;
  /** In the order of records: the oldest are forgotten first. */
  readonly #seen = new Set<string>();
  /** With their numbers, in the same order. */
  readonly #unproven = new Map<string, number>();

  constructor(most: number = MOST) {
    this.#most = most;
  }

  /** @returns whether the id was there already: the record is a duplicate */
  add(id: string, number: number): boolean {
    if (NOBODY.test(id)) return false;
    if (this.#seen.has(id) || this.#unproven.has(id)) return true;
    this.#unproven.set(id, number);
    return false;
  }

  /** What was added with numbers up to this one is in the log. */
  prove(upTo: number): void {
    for (const [id, number] of this.#unproven) {
      if (number > upTo) break;
      this.#unproven.delete(id);
      this.#seen.add(id);
    }
    for (const id of this.#seen) {
      if (this.#seen.size <= this.#most) return;
      this.#seen.delete(id);
    }
  }

  has(id: string): boolean {
    return this.#seen.has(id);
  }

  /** Whether a record with it was read that is not proven yet. */
  awaits(id: string): boolean {
    return this.#unproven.has(id);
  }

  /** Another epoch has begun: nothing is known of it. */
  clear(): void {
    this.#seen.clear();
    this.#unproven.clear();
  }
}
