import type { Cache } from '../cache/cache.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { cacheToken, InjectCache } from './cache-token.ts';

/** The cache that Nest puts on the instances of a decorated class, whatever their scope. */
export class InjectedCache {
  readonly #property: symbol;
  readonly as: string | undefined;

  /** @param prototype of the class that gets it */
  constructor(prototype: object, as: string | undefined) {
    this.as = as;
    this.#property = Symbol.for(cacheToken(as));
    InjectCache(as)(prototype, this.#property);
  }

  /** `undefined` for an instance that was not made by Nest, as in a unit test. */
  find(instance: object): Cache | undefined {
    return (instance as Record<symbol, Cache | undefined>)[this.#property];
  }

  /** For what a factory has made: Nest does not look at its properties. */
  provide(instance: object, cache: Cache): void {
    if (this.find(instance) === undefined) Object.assign(instance, { [this.#property]: cache });
  }

  /** @throws TidemarkError `INVALID_OPTION` where {@link find} has none */
  require(instance: object, method: string): Cache {
    const cache = this.find(instance);
    if (cache !== undefined) return cache;
    const where = `${instance.constructor.name}.${method}`;
    throw new TidemarkError(
      'INVALID_OPTION',
      `${shorten(where)} has no cache, because its instance was not made by Nest. Get the instance from Nest, with TidemarkModule imported.`,
    );
  }
}
