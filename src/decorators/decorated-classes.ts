import type { Cache } from '../cache/cache.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Logger } from '../coherence/logger.ts';
import type { CacheProperty } from './cache-property.ts';
import { type CachedMethod, cachedMethods } from './cached.ts';
import { severalInstances } from './cached-query.ts';
import { invalidatingProperties } from './invalidates.ts';
import { type EventRule, eventRules } from './invalidates-on.ts';

/** An instance that stays; or the shape of one that is made anew again and again: its prototype, or what has it. */
export interface Found {
  readonly instance: object;
  readonly lasting: boolean;
}

/** The classes of an application that use one cache by decorators. */
export class DecoratedClasses {
  readonly #found: readonly Found[];
  readonly #as: string | undefined;

  /** @param as the `as` of the cache */
  constructor(found: readonly Found[], as: string | undefined) {
    this.#found = found;
    this.#as = as;
  }

  /** Gives the instances that stay a cache, whatever they had before. */
  give(cache: Cache): void {
    for (const { instance, lasting } of this.#found) {
      if (lasting) for (const property of this.#propertiesOf(instance)) property.give(instance, cache);
    }
  }

  /** Whether something of them can fail where nobody waits for it. */
  get reports(): boolean {
    return (
      this.eventRules.length > 0 || this.#found.some(({ instance }) => invalidatingProperties.of(instance).length > 0)
    );
  }

  /**
   * Makes all that can be made before the first request, so that what is wrong fails the application's start.
   *
   * @param logger hears of what fails afterwards
   * @throws TidemarkError `INVALID_OPTION` or `INVALID_QUERY` for a cached method whose options are wrong, whose name is taken, or whose
   * class has several instances
   */
  prepare(cache: Cache, logger: Logger | undefined): void {
    for (const { instance, lasting } of this.#found) {
      for (const property of this.#propertiesOf(instance)) {
        property.reportTo(logger, cache);
        if (lasting) property.provide(instance, cache);
      }
      for (const { method, queries } of this.#methodsOf(instance)) {
        if (lasting) queries.of(instance, cache);
        else if (!queries.shared) throw severalInstances(instance, method);
      }
    }
  }

  /** @throws TidemarkError `INVALID_OPTION` for a class that is made anew, whose instances nobody would give a cache */
  checkInjected(): void {
    for (const { instance, lasting } of this.#found) {
      if (lasting || this.#propertiesOf(instance).every(({ injected }) => injected)) continue;
      throw new TidemarkError(
        'INVALID_OPTION',
        `${shorten(instance.constructor.name)} is made anew again and again, and decorators of tidemark/decorators do not get its instances a cache. Import those of the container: tidemark/nestjs, or what decoratorsFor() made.`,
      );
    }
  }

  /** Where an instance has this cache. */
  #propertiesOf(instance: object): readonly CacheProperty[] {
    const properties = [...this.#methodsOf(instance).map((it) => it.property), ...invalidatingProperties.of(instance)];
    return properties.filter(({ as }) => as === this.#as);
  }

  /** The rules of all classes, each once. */
  get eventRules(): readonly EventRule[] {
    const rules = this.#found.flatMap(({ instance }) => eventRules.of(instance));
    return [...new Set(rules)].filter(({ property }) => property.as === this.#as);
  }

  /** A class that caches again what its parent does has said the last word. */
  #methodsOf(instance: object): readonly CachedMethod[] {
    const last = new Map(cachedMethods.of(instance).map((it) => [it.method, it]));
    return [...last.values()].filter(({ property }) => property.as === this.#as);
  }
}
