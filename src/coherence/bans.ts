import { globMatches } from './glob.ts';

/** A glob pattern that every entry marked before its position is tested against. */
export interface Ban {
  readonly number: number;
  readonly pattern: string;
  /** The log's wall clock at the append, in ms: only the log reads it, to retire the ban. */
  readonly time: number;
}

/**
 * The short list of patterns that cannot be hashed (the idea, and the word, are Varnish's). A ban leaves the list only
 * when the floor has been raised to it, so that what it covered stays covered.
 */
export class Bans {
  #list: (Ban & { readonly revision: number })[] = [];

  get size(): number {
    return this.#list.length;
  }

  /**
   * Keeps the list in the order of positions; the same pattern at the same position twice is one ban.
   *
   * @param revision the view's, from which on it knows the ban
   */
  add(ban: Ban, revision = 0): void {
    if (this.#list.some((known) => known.number === ban.number && known.pattern === ban.pattern)) return;
    this.#list.push({ ...ban, revision });
    this.#list.sort((a, b) => a.number - b.number);
  }

  /**
   * Whether a ban newer than `mark` matches a key, escapes removed. Newest first, so that old ones cost nothing; and those
   * known at the revision `tested`, at which the entry was found uncovered, are not tested again.
   */
  cover(mark: number, plain: string, tested = 0): boolean {
    for (let i = this.#list.length - 1; i >= 0; i--) {
      const ban = this.#list[i] as Ban & { readonly revision: number };
      if (ban.number <= mark) return false;
      if (tested > 0 && ban.revision <= tested) continue;
      if (globMatches(ban.pattern, plain)) return true;
    }
    return false;
  }

  /** Drops what a floor makes needless: nothing marked before the floor is served anyway. */
  retire(floor: number): void {
    if (this.#list.some((ban) => ban.number <= floor)) this.#list = this.#list.filter((ban) => ban.number > floor);
  }

  clear(): void {
    this.#list = [];
  }

  list(): readonly Ban[] {
    return this.#list.map(({ number, pattern, time }) => ({ number, pattern, time }));
  }
}
