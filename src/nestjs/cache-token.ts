import { Inject } from '@nestjs/common';

/**
 * What a cache is provided under.
 *
 * @param as the `as` of its registration; none for the application's only, or usual, cache
 */
export function cacheToken(as?: string): string {
  return as === undefined ? 'TIDEMARK_CACHE' : `TIDEMARK_CACHE:${as}`;
}

/**
 * Injects a cache of `TidemarkModule` into a constructor's parameter or a property.
 *
 * @param as the `as` of its registration, where the application has several
 * @example constructor(@InjectCache() cache: Cache) {}
 */
export function InjectCache(as?: string): PropertyDecorator & ParameterDecorator {
  return Inject(cacheToken(as));
}
