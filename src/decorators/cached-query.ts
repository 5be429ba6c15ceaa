import type { Cache } from '../cache/cache.ts';
import type { Query, QueryOptions } from '../cache/query.ts';
import type { ReadOptions } from '../cache/read-options.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Method } from './method.ts';

/** How a method is cached. */
export interface CachedOptions<A extends unknown[], S extends object> extends Omit<ReadOptions, 'atLeast'> {
  /** A path such as `'fr:budgets'`; default the names of the instance's class and the method, `'Reports:budgets'`. */
  readonly name?: string;
  /** The tags of a value, from the method's arguments. */
  readonly tags?: (...args: A) => readonly string[];
  /** The segments of the key below the name, where the arguments themselves will not do. */
  readonly key?: (...args: A) => readonly unknown[];
  /**
   * What of the instance a value depends on, as further segments of its key, before the others: `(self) => [self.tenant]`; `() => []`
   * for nothing. Without it only one instance of the class may use a cache.
   */
  readonly instance?: (self: S) => readonly unknown[];
  /** The `as` of the cache, where the application has several. */
  readonly cache?: string;
}

/** A query whose first argument is the instance that loads. */
export type InstanceQuery = Query<[self: object, ...args: unknown[]], unknown>;

/** The queries behind one decorated method: one for each cache, and for each class that has the method. */
export class CachedQueries {
  readonly #made = new WeakMap<Cache, Map<object, { readonly query: InstanceQuery; readonly instance: object }>>();
  readonly #method: string;
  readonly #load: Method;
  readonly #options: CachedOptions<unknown[], object>;

  constructor(method: string, load: Method, options: CachedOptions<unknown[], object>) {
    this.#method = method;
    this.#load = load;
    this.#options = options;
  }

  /** Whether several instances may share what is cached. */
  get shared(): boolean {
    return this.#options.instance !== undefined;
  }

  /**
   * @throws TidemarkError `INVALID_QUERY` or `INVALID_OPTION` for what `cache.query` refuses, and for another instance where it
   * was not said what of it the values depend on
   */
  of(instance: object, cache: Cache): InstanceQuery {
    const classes = this.#made.get(cache) ?? new Map<object, { query: InstanceQuery; instance: object }>();
    this.#made.set(cache, classes);
    let made = classes.get(instance.constructor);
    if (made === undefined) {
      made = { query: this.#make(instance.constructor.name, cache), instance };
      classes.set(instance.constructor, made);
    }
    if (made.instance !== instance && !this.shared) throw severalInstances(instance, this.#method);
    return made.query;
  }

  #make(className: string, cache: Cache): InstanceQuery {
    const { name = `${className}:${this.#method}`, tags, key, instance, cache: _, ...reading } = this.#options;
    const load = this.#load;
    const options: QueryOptions<[self: object, ...args: unknown[]], unknown> = {
      ...reading,
      name,
      load: (self: object, ...args: unknown[]) => load.apply(self, args),
      key: (self, ...args) => [...(instance?.(self) ?? []), ...(key === undefined ? args : key(...args))],
      ...(tags !== undefined && { tags: (_self: object, ...args: unknown[]) => tags(...args) }),
    };
    return cache.query(options);
  }
}

/** @param instance one of several whose values could be different */
export function severalInstances(instance: object, method: string): TidemarkError {
  const where = `${instance.constructor.name}.${method}`;
  return new TidemarkError(
    'INVALID_OPTION',
    `${shorten(where)} is cached, and its class has several instances, as one for each request: what one returns would be served for another. Say what of the instance it depends on: @Cached({ instance: (self) => [self.tenant] }), or () => [] for nothing; or provide the class once.`,
  );
}

/** The query as callers of one instance see it. */
export function boundQuery(query: InstanceQuery, self: object): Query<unknown[], unknown> {
  return Object.assign((...args: unknown[]) => query(self, ...args), {
    path: query.path,
    read: (...args: unknown[]) => query.read(self, ...args),
    peek: (...args: unknown[]) => query.peek(self, ...args),
    many: (list: readonly unknown[][]) => query.many(list.map((args): [object, ...unknown[]] => [self, ...args])),
    at: (...args: unknown[]) => query.at(self, ...args),
    with: (options: ReadOptions) => boundQuery(query.with(options), self),
    shadow: () => query.shadow(),
    request: (...args: unknown[]) => query.request(self, ...args),
  });
}
