import type { Duration } from '../coherence/duration.ts';
import { milliseconds } from '../coherence/duration.ts';
import type { Lsn } from '../coherence/record.ts';
import { checkTag } from '../coherence/target.ts';

/** What a loader is told, and what it may decide. */
export interface LoadContext {
  /** The canonical key that is loaded. */
  readonly key: string;
  /** Aborted when the hard timeout passes or the cache is closed. */
  readonly signal: AbortSignal;
  /** The value that is being replaced, if this process still has one. */
  readonly previous: unknown;
  /**
   * For readers of replicas: every commit behind the records applied here is at or below this position of the database's
   * log. `undefined` where no record named one; `'unknown'` means that only the primary is certain to have them.
   */
  readonly lsn: Lsn;
  /** Sets how long the value stays fresh, instead of the option. */
  ttl(duration: Duration): void;
  /** Adds tags that are known only now. */
  tag(...tags: string[]): void;
  /** Returns the value without keeping it. */
  skip(): void;
}

/** What a loader decided while it ran. */
export class LoadDecisions implements LoadContext {
  readonly key: string;
  readonly previous: unknown;
  readonly lsn: Lsn;
  ttlChosen: number | undefined;
  readonly tags: string[] = [];
  skipped = false;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;

  /** Kept, since the compiler forgets the shape of a class of which no instance is alive at a collection. */
  static readonly shape: LoadDecisions = new LoadDecisions({ key: '', previous: undefined, lsn: undefined });

  constructor(about: Pick<LoadContext, 'key' | 'previous' | 'lsn'>) {
    this.key = about.key;
    this.previous = about.previous;
    this.lsn = about.lsn;
  }

  /** Made only for loaders that look at it: most do not, and it costs more than the rest of the context. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  ttl(duration: Duration): void {
    this.ttlChosen = milliseconds(duration, 'ctx.ttl()');
  }

  tag(...tags: string[]): void {
    for (const tag of tags) this.tags.push(checkTag(tag));
  }

  skip(): void {
    this.skipped = true;
  }
}

const takesContext: unique symbol = Symbol('takes a load context');

/**
 * A loader made by {@link withContext}. It is no function, so that a plain loader is never taken for one: neither by the
 * compiler, which infers a query's arguments from its loader, nor at run time.
 */
export interface ContextLoad<A extends unknown[], T> {
  readonly [takesContext]: (ctx: LoadContext, ...args: A) => T | Promise<T>;
}

/**
 * Marks a query's loader as one that takes a {@link LoadContext} before its arguments.
 *
 * @example cache.query({ name: 'user', load: withContext((ctx, id: number) => db.user(id, ctx.signal)) })
 */
export function withContext<A extends unknown[], T>(
  load: (ctx: LoadContext, ...args: A) => T | Promise<T>,
): ContextLoad<A, T> {
  return { [takesContext]: load };
}

export function isContextLoad<A extends unknown[], T>(load: unknown): load is ContextLoad<A, T> {
  return typeof load === 'object' && load !== null && takesContext in load;
}

/** Calls a query's loader, with the context where it takes one. */
export function callLoader<A extends unknown[], T>(
  load: ((...args: A) => T | Promise<T>) | ContextLoad<A, T>,
  ctx: LoadContext,
  args: A,
): T | Promise<T> {
  return typeof load === 'function' ? load(...args) : load[takesContext](ctx, ...args);
}
