import type { Targets } from '../events/index.ts';
import { Decorations } from './decorations.ts';
import { InjectedCache } from './injected-cache.ts';

/** How an event is told apart: by its name, as event emitters do, or by its class, as the event bus of CQRS does. */
export type EventName<E> = string | (abstract new (...args: never[]) => E);

/** What an event makes stale, as one decorator says it. */
export interface EventRule {
  readonly event: EventName<unknown>;
  readonly targets: (event: unknown) => Targets;
  readonly injected: InjectedCache;
}

export const eventRules: Decorations<EventRule> = new Decorations();

/**
 * Invalidates when an event is heard on one of the emitters and buses that `TidemarkModule` was given as `events`. It stands on a
 * provider or on one of its methods, such as the cached method that it is about; where it stands makes no other difference.
 *
 * Whoever emits does not wait for it, so emit after the change is committed; a read that must not be older than the change goes
 * through `@Invalidates` or a receipt. Events of one emitter are handled in their order, tried again where that fails, and in the
 * end answered by invalidating everything.
 *
 * @param event the name of an event of `EventEmitter2`, or the class of an event of the `EventBus` of CQRS: its subclasses count too
 * @param targets what the event makes stale
 * @example
 * class Users {
 *   @Cached({ name: 'users' })
 *   @InvalidatesOn('user.updated', (event: { id: number }) => key('users', event.id))
 *   async find(id: number): Promise<User> { ... }
 * }
 */
export function InvalidatesOn<E>(
  event: EventName<E>,
  targets: (event: E) => Targets,
  options: { readonly cache?: string } = {},
): ClassDecorator & MethodDecorator {
  return (classOrPrototype: object) => {
    const prototype =
      typeof classOrPrototype === 'function' ? (classOrPrototype.prototype as object) : classOrPrototype;
    const injected = new InjectedCache(prototype, options.cache);
    eventRules.add(prototype, { event, targets: targets as (event: unknown) => Targets, injected });
  };
}
