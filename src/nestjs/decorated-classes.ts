import type { DiscoveryService } from '@nestjs/core';
import type { Cache } from '../cache/cache.ts';
import { type CachedMethod, cachedMethods } from './cached.ts';
import { severalInstances } from './cached-query.ts';
import { invalidatingCaches } from './invalidates.ts';
import { type EventRule, eventRules } from './invalidates-on.ts';

/** A provider or controller; of one that is made anew for each request or user, only its shape. */
interface Found {
  readonly instance: object;
  readonly lasting: boolean;
}

/** The classes of the application that use one cache by decorators. */
export class DecoratedClasses {
  readonly #found: readonly Found[];
  readonly #as: string | undefined;

  /** @param as the `as` of the cache */
  constructor(discovery: DiscoveryService, as: string | undefined) {
    this.#found = foundIn(discovery);
    this.#as = as;
  }

  /**
   * Makes all that can be made before the first request, so that what is wrong fails the application's start.
   *
   * @throws TidemarkError `INVALID_OPTION` or `INVALID_QUERY` for a cached method whose options are wrong, whose name is taken, or whose
   * class has several instances
   */
  prepare(cache: Cache): void {
    for (const { instance, lasting } of this.#found) {
      const methods = this.#methodsOf(instance);
      for (const injected of [...methods.map((it) => it.injected), ...invalidatingCaches.of(instance)]) {
        if (lasting && injected.as === this.#as) injected.provide(instance, cache);
      }
      for (const { method, queries } of methods) {
        if (lasting) queries.of(instance, cache);
        else if (!queries.shared) throw severalInstances(instance, method);
      }
    }
  }

  /** The rules of all classes, each once. */
  get eventRules(): readonly EventRule[] {
    const rules = this.#found.flatMap(({ instance }) => eventRules.of(instance));
    return [...new Set(rules)].filter(({ injected }) => injected.as === this.#as);
  }

  /** A class that caches again what its parent does has said the last word. */
  #methodsOf(instance: object): readonly CachedMethod[] {
    const last = new Map(cachedMethods.of(instance).map((it) => [it.method, it]));
    return [...last.values()].filter(({ injected }) => injected.as === this.#as);
  }
}

function foundIn(discovery: DiscoveryService): readonly Found[] {
  const wrappers = [...discovery.getProviders(), ...discovery.getControllers()];
  return wrappers
    .map((it) => ({ instance: it.instance as unknown, lasting: it.isDependencyTreeStatic() && !it.isTransient }))
    .filter((it): it is Found => typeof it.instance === 'object' && it.instance !== null);
}
