import type { Targets } from '../events/index.ts';
import { CacheProperty } from './cache-property.ts';
import { Change } from './change.ts';
import type { Container } from './container.ts';
import { Decorations } from './decorations.ts';
import { type AsyncMethod, type MethodDescriptor, replaceMethod } from './method.ts';

export interface InvalidatesOptions {
  /** The `as` of the cache, where the application has several. */
  readonly cache?: string;
}

/** Where each class has its caches. */
export const invalidatingProperties: Decorations<CacheProperty> = new Decorations();

/** See {@link Invalidates}. */
export interface InvalidatesDecorator {
  <A extends unknown[] = unknown[], R = unknown>(
    targets: (args: A, result: R) => Targets,
    options?: InvalidatesOptions,
  ): <M extends AsyncMethod>(prototype: object, method: string, descriptor: MethodDescriptor<M, A, R>) => void;
}

/**
 * Invalidates what a method has made stale, once it has succeeded: whoever waits for the method reads nothing older afterwards. A
 * method that fails invalidates nothing, so let it commit what it changes.
 *
 * The change has been made by then, so nothing of this ever fails the caller. Where the targets cannot be worked out, everything is
 * invalidated, and the log says so.
 *
 * The method of an instance that was given no cache is refused before it runs.
 *
 * @param targets from the method's arguments and its result
 * @example
 * class Budgets {
 *   @Invalidates(([orgId]: [string]) => key('fr:budgets', orgId))
 *   async setBudget(orgId: string, budget: Budget): Promise<void> { ... }
 * }
 */
export const Invalidates: InvalidatesDecorator = invalidatesBy(undefined);

/** @param container that gives instances their cache; none where `decorate` does */
export function invalidatesBy(container: Container | undefined): InvalidatesDecorator {
  return (targets, options = {}) =>
    (prototype, method, descriptor) => {
      const property = new CacheProperty(prototype, options.cache, container);
      invalidatingProperties.add(prototype, property);
      replaceMethod(
        descriptor,
        (change) =>
          async function (...args) {
            const cache = property.require(this, method);
            const result = await change.apply(this, args);
            const made = new Change(cache, `${this.constructor.name}.${method}`, property.logger(cache));
            await made.invalidate(() => targets(args as never, result as never));
            return result;
          },
      );
    };
}
