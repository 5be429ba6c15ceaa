import type { Query } from '../cache/query.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { CacheProperty } from './cache-property.ts';
import { boundQuery, CachedQueries, type CachedOptions } from './cached-query.ts';
import type { Container } from './container.ts';
import { Decorations } from './decorations.ts';
import { type AsyncMethod, type MethodDescriptor, replaceMethod } from './method.ts';

/** A decorated method, as it is found when its instance is prepared. */
export interface CachedMethod {
  readonly method: string;
  readonly property: CacheProperty;
  readonly queries: CachedQueries;
}

export const cachedMethods: Decorations<CachedMethod> = new Decorations();

/** See {@link Cached}. */
export interface CachedDecorator {
  <A extends unknown[] = [], S extends object = object>(
    options?: CachedOptions<A, S>,
  ): <M extends AsyncMethod>(prototype: S, method: string, descriptor: MethodDescriptor<M, A>) => void;
}

/**
 * Reads a method through the cache: a typed query whose loader is the method. `queryOf` gives the query, for its `at()`.
 *
 * What the method returns must follow from its arguments. One that looks up the current user elsewhere, such as in a request, would
 * serve one user's value to another: pass the user, or say so with `instance`.
 *
 * An instance that was given no cache, as in a unit test, just runs its method.
 *
 * @param options `ttl`, `tags` and the others of a query, see {@link CachedOptions}; what is wrong with them is told by `decorate`
 * @example
 * class Reports {
 *   @Cached({ name: 'fr:budgets', ttl: '5m', tags: (orgId: string) => [`org:${orgId}`] })
 *   async budgets(orgId: string, period: string): Promise<Budget[]> { ... }
 * }
 */
export const Cached: CachedDecorator = cachedBy(undefined);

/** @param container that gives instances their cache; none where `decorate` does */
export function cachedBy(container: Container | undefined): CachedDecorator {
  return (options = {}) =>
    (prototype, method, descriptor) => {
      replaceMethod(descriptor, (load) => {
        const property = new CacheProperty(prototype, options.cache, container);
        const queries = new CachedQueries(method, load, options as unknown as CachedOptions<unknown[], object>);
        cachedMethods.add(prototype, { method, property, queries });
        return function (...args) {
          const cache = property.find(this);
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
 * @throws TidemarkError `INVALID_OPTION` when the method is not decorated with {@link Cached}, or its instance has no cache
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
  const cache = found.property.require(instance, method);
  return boundQuery(found.queries.of(instance, cache), instance) as unknown as QueryOf<S[K]>;
}
