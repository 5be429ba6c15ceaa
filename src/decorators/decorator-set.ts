import { type CachedDecorator, cachedBy } from './cached.ts';
import { cacheToken, type Container } from './container.ts';
import { type InvalidatesDecorator, invalidatesBy } from './invalidates.ts';
import { type InvalidatesOnDecorator, invalidatesOnBy } from './invalidates-on.ts';

/** Decorators whose instances get their cache from one container. */
export interface DecoratorSet {
  readonly Cached: CachedDecorator;
  readonly Invalidates: InvalidatesDecorator;
  readonly InvalidatesOn: InvalidatesOnDecorator;
  /** Injects a cache into a constructor's parameter or a property. */
  readonly InjectCache: (as?: string) => PropertyDecorator & ParameterDecorator;
}

/**
 * The decorators for a container that injects properties: each instance gets its cache from the container, under `cacheToken()`,
 * also one that is made anew for each request.
 *
 * @example const { Cached, Invalidates } = decoratorsFor({ name: 'inversify', inject, logger });
 */
export function decoratorsFor(container: Container): DecoratorSet {
  return {
    Cached: cachedBy(container),
    Invalidates: invalidatesBy(container),
    InvalidatesOn: invalidatesOnBy(container),
    InjectCache: (as) => container.inject(cacheToken(as)),
  };
}
