import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientSession } from './session.ts';

/** What holds for all calls inside a piece of work, and for what they await. */
export interface Scope {
  /** Reads go past the cache. */
  readonly bypass: boolean;
  readonly session: ClientSession | undefined;
  /** Values must have been loaded from the primary after this place in the order of readers and loads; 0 for no such demand. */
  readonly since: number;
}

const OUTSIDE: Scope = { bypass: false, session: undefined, since: 0 };

/**
 * Finds the scope that a call is made in. Nothing is tracked before the first one is entered: from then on Node follows
 * every asynchronous call of the process, which makes its promises slower.
 */
export class Scopes {
  #storage: AsyncLocalStorage<Scope> | undefined;
  #closed = false;

  /** On the way of every hit. */
  get current(): Scope | undefined {
    return this.#storage?.getStore();
  }

  /** Runs `work` with some of what holds here changed. */
  enter<T>(change: Partial<Scope>, work: () => T): T {
    // Entering would turn on again what close() has turned off for good.
    if (this.#closed) return work();
    this.#storage ??= new AsyncLocalStorage();
    return this.#storage.run({ ...(this.current ?? OUTSIDE), ...change }, work);
  }

  /**
   * Runs a loader whose value has to be newer than what this node can prove, so that what it reads through the cache is, too:
   *
   * 1. A client brings the token of a write that this node has not heard of. 2. So `report` is loaded anew. 3. Its loader reads
   * `user` through the cache, which has it in memory, from before the write.
   *
   * Whoever shares the load may have brought another such token: the load began after all of them came, so that is what is asked.
   * Where nobody has ever entered a scope, tracking is not begun for it.
   */
  sourcedSince<T>(order: number, load: () => T): T {
    return this.#storage === undefined ? load() : this.enter({ since: order }, load);
  }

  /** Node keeps a storage that has run in a global list, and looks at it with every promise. */
  close(): void {
    this.#closed = true;
    this.#storage?.disable();
  }
}
