import type { RemovedGuards } from '../coherence/guards.ts';
import { QUEUED_TOKEN, type Token } from '../coherence/position.ts';

/** Most tokens that are remembered. One that is forgotten is new when it comes again: a load, not a lie. */
const MOST = 1_024;

/**
 * When tokens first came here that this node cannot place in its log, as places in the order of readers and loads of this
 * process. Whatever such a token stands for was written before it came.
 */
export class Sights {
  readonly #now: () => number;
  readonly #removed: RemovedGuards;
  readonly #seen = new Map<Token, number>();

  /** @param now the next place in that order */
  constructor(now: () => number, removed: RemovedGuards) {
    this.#now = now;
    this.#removed = removed;
  }

  of(token: Token): number {
    if (this.#removed.has('tokenSince')) return 1;
    // It does not say which write it is of: there may be a new one each time.
    if (token === QUEUED_TOKEN) return this.#now();
    let seen = this.#seen.get(token);
    if (seen !== undefined) return seen;
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size < MOST) break;
      this.#seen.delete(oldest);
    }
    seen = this.#now();
    this.#seen.set(token, seen);
    return seen;
  }
}
