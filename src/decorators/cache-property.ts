import type { Cache } from '../cache/cache.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Logger } from '../coherence/logger.ts';
import { cacheToken, type Container } from './container.ts';

/** Where the instances of a decorated class have their cache. */
export class CacheProperty {
  readonly #key: symbol;
  readonly #container: Container | undefined;
  readonly #loggers = new WeakMap<Cache, Logger>();
  readonly as: string | undefined;

  /**
   * @param prototype of the class that gets it
   * @param container fills it in; none where `decorate` does
   */
  constructor(prototype: object, as: string | undefined, container: Container | undefined) {
    this.as = as;
    this.#key = Symbol.for(cacheToken(as));
    this.#container = container;
    container?.inject(cacheToken(as))(prototype, this.#key);
  }

  /** Whether instances have their cache from whoever makes them. */
  get injected(): boolean {
    return this.#container !== undefined;
  }

  /** `undefined` for an instance that nobody has given one, as in a unit test. */
  find(instance: object): Cache | undefined {
    return (instance as Record<symbol, Cache | undefined>)[this.#key];
  }

  /** Where there is none yet: a container does not look at what a factory has made. */
  provide(instance: object, cache: Cache): void {
    if (this.find(instance) === undefined) this.give(instance, cache);
  }

  /** Whatever it had before. */
  give(instance: object, cache: Cache): void {
    Object.assign(instance, { [this.#key]: cache });
  }

  /** @throws TidemarkError `INVALID_OPTION` where {@link find} has none */
  require(instance: object, method: string): Cache {
    const cache = this.find(instance);
    if (cache !== undefined) return cache;
    const where = shorten(`${instance.constructor.name}.${method}`);
    const by = this.#container?.name;
    throw new TidemarkError(
      'INVALID_OPTION',
      by === undefined
        ? `${where} has no cache, because its instance was not decorated. Hand it over: decorate([instance], { cache }).`
        : `${where} has no cache, because its instance was not made by ${by}. Get the instance from ${by}, with a cache registered as ${cacheToken(this.as)}.`,
    );
  }

  /** @param logger hears of failures where this cache is concerned */
  reportTo(logger: Logger | undefined, cache: Cache): void {
    if (logger !== undefined) this.#loggers.set(cache, logger);
  }

  /** Who hears of failures. */
  logger(cache: Cache): Logger | undefined {
    return this.#loggers.get(cache) ?? this.#container?.logger;
  }
}
