import { Logger } from '@nestjs/common';
import type { Cache } from '../cache/cache.ts';
import type { Cause } from '../coherence/record.ts';
import { everything, type Target, targetList } from '../coherence/target.ts';
import type { Targets } from '../events/index.ts';
import { Decorations } from './decorations.ts';
import { InjectedCache } from './injected-cache.ts';
import { type AsyncMethod, type MethodDescriptor, replaceMethod } from './method.ts';

export interface InvalidatesOptions {
  /** The `as` of the cache, where the application has several. */
  readonly cache?: string;
}

/** Where each class has its caches. */
export const invalidatingCaches: Decorations<InjectedCache> = new Decorations();

/**
 * Invalidates what a provider's method has made stale, once it has succeeded: whoever waits for the method reads nothing older
 * afterwards. A method that fails invalidates nothing, so let it commit what it changes.
 *
 * The change has been made by then, so nothing of this ever fails the caller. Where the targets cannot be worked out, everything is
 * invalidated, and the log says so.
 *
 * An instance that Nest has not made has no cache: its method is refused before it runs.
 *
 * @param targets from the method's arguments and its result
 * @example
 * class Budgets {
 *   @Invalidates(([orgId]: [string]) => key('fr:budgets', orgId))
 *   async setBudget(orgId: string, budget: Budget): Promise<void> { ... }
 * }
 */
export function Invalidates<A extends unknown[] = unknown[], R = unknown>(
  targets: (args: A, result: R) => Targets,
  options: InvalidatesOptions = {},
) {
  return <M extends AsyncMethod>(prototype: object, method: string, descriptor: MethodDescriptor<M, A, R>): void => {
    const injected = new InjectedCache(prototype, options.cache);
    invalidatingCaches.add(prototype, injected);
    replaceMethod(
      descriptor,
      (change) =>
        async function (...args) {
          const cache = injected.require(this, method);
          const result = await change.apply(this, args);
          const cause = { event: `${this.constructor.name}.${method}` };
          await invalidateAfter(cache, cause, () => targets(args as A, result as R));
          return result;
        },
    );
  };
}

/** Never rejects. */
async function invalidateAfter(cache: Cache, cause: Cause, targets: () => Targets): Promise<void> {
  try {
    const list = listOf(targets, cause);
    if (list.length > 0) await cache.invalidate(list, { cause });
  } catch (error) {
    logger(cause).error('what it changed may be served in its old form until it expires', error);
  }
}

function listOf(targets: () => Targets, cause: Cause): readonly Target[] {
  try {
    const given = targets();
    return given === undefined ? [] : targetList(given, (shown) => `@Invalidates returned ${shown}, no target`);
  } catch (error) {
    logger(cause).error('its targets could not be worked out, so everything is invalidated', error);
    return [everything()];
  }
}

function logger({ event }: Cause): Logger {
  return new Logger(`Tidemark: @Invalidates of ${event}`);
}
