import type { Query } from '../cache/query.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { boundQuery, CachedQueries, type CachedOptions } from './cached-query.ts';
import { Decorations } from './decorations.ts';
import { InjectedCache } from './injected-cache.ts';
import { type AsyncMethod, type MethodDescriptor, replaceMethod } from './method.ts';

/** A decorated method, as the module finds it when the application starts. */
export interface CachedMethod {
  readonly method: string;
  readonly injected: InjectedCache;
  readonly queries: CachedQueries;
}

export const cachedMethods: Decorations<CachedMethod> = new Decorations();

/**
 * Reads a provider's method through the cache: a typed query whose loader is the method. `queryOf` gives the query, for its `at()`.
 *
 * What the method returns must follow from its arguments. One that looks up the current user elsewhere, such as in an injected
 * request, would serve one user's value to another: pass the user, or say so with `instance`.
 *
 * An instance that Nest has not made, as in a unit test, has no cache: its method just runs.
 *
 * @param options `ttl`, `tags` and the others of a query, see {@link CachedOptions}; what is wrong with them fails the
 * application's start
 * @example
 * class Reports {
 *   @Cached({ name: 'fr:budgets', ttl: '5m', tags: (orgId: string) => [`org:${orgId}`] })
 *   async budgets(orgId: string, period: string): Promise<Budget[]> { ... }
 * }
 */
export function Cached<A extends unknown[] = [], S extends object = object>(options: CachedOptions<A, S> = {}) {
  return <M extends AsyncMethod>(prototype: S, method: string, descriptor: MethodDescriptor<M, A>): void => {
    replaceMethod(descriptor, (load) => {
      const injected = new InjectedCache(prototype, options.cache);
      const queries = new CachedQueries(method, load, options as unknown as CachedOptions<unknown[], object>);
      cachedMethods.add(prototype, { method, injected, queries });
      return function (...args) {
        const cache = injected.find(this);
        if (cache === undefined) return load.apply(this, args);
        try {
          return queries.of(this, cache)(this, ...args);
        } catch (error) {
          return Promise.reject(error);
        }
      };
    });
  };
}

/** The names of the methods of `S` that can be cached. */
type CacheableOf<S> = { [K in keyof S]: S[K] extends AsyncMethod ? K : never }[keyof S] & string;

/** The query behind a method. */
export type QueryOf<M> = M extends (...args: infer A) => Promise<infer T> ? Query<A, T> : never;

/**
 * The query behind a cached method: what it is invalidated with, and looked at.
 *
 * @throws TidemarkError `INVALID_OPTION` when the method is not decorated with {@link Cached}, or its instance was not made by Nest
 * @example await cache.invalidate(queryOf(reports, 'budgets').at('ORG1'))
 */
export function queryOf<S extends object, K extends CacheableOf<S>>(instance: S, method: K): QueryOf<S[K]> {
  // A subclass may cache again what its parent does: the last one counts.
  const found = cachedMethods.of(instance).findLast((it) => it.method === method);
  if (found === undefined)
    throw new TidemarkError(
      'INVALID_OPTION',
      `${instance.constructor.name}.${method} is not cached. Put @Cached() on it.`,
    );
  const cache = found.injected.require(instance, method);
  return boundQuery(found.queries.of(instance, cache), instance) as unknown as QueryOf<S[K]>;
}
