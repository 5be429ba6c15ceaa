import type { Logger } from '../coherence/logger.ts';

/** A container that puts the cache on the instances that it makes, whenever it makes them. */
export interface Container {
  /** As errors call it: `'Nest'`. */
  readonly name: string;
  /** Its decorator for what is registered under a token: `Inject` of NestJS, `inject` of inversify. */
  readonly inject: (token: string) => PropertyDecorator & ParameterDecorator;
  /** Hears of failures where `decorate` was never told of a class. */
  readonly logger: Logger;
}

/**
 * What a container has a cache under.
 *
 * @param as what it is called where there are several; none for the only, or usual, cache
 */
export function cacheToken(as?: string): string {
  return as === undefined ? 'TIDEMARK_CACHE' : `TIDEMARK_CACHE:${as}`;
}
