import type { Targets } from '../events/index.ts';
import { CacheProperty } from './cache-property.ts';
import type { Container } from './container.ts';
import { Decorations } from './decorations.ts';

/** How an event is told apart: by its name, as event emitters do, or by its class, as the event bus of CQRS does. */
export type EventName<E> = string | (abstract new (...args: never[]) => E);

/** What an event makes stale, as one decorator says it. */
export interface EventRule {
  readonly event: EventName<unknown>;
  readonly targets: (event: unknown) => Targets;
  readonly property: CacheProperty;
}

export const eventRules: Decorations<EventRule> = new Decorations();

/** See {@link InvalidatesOn}. */
export interface InvalidatesOnDecorator {
  <E>(
    event: EventName<E>,
    targets: (event: E) => Targets,
    options?: { readonly cache?: string },
  ): ClassDecorator & MethodDecorator;
}

/**
 * Invalidates when an event is heard on one of the emitters and buses that `decorate`, or the application's module, was given as
 * `events`. It stands on a class or on one of its methods, such as the cached method that it is about; where it stands makes no
 * other difference.
 *
 * Whoever emits does not wait for it, so emit after the change is committed; a read that must not be older than the change goes
 * through `@Invalidates` or a receipt. Events of one emitter are handled in their order, tried again where that fails, and in the
 * end answered by invalidating everything.
 *
 * @param event the name of an event of an emitter, or the class of an event of a bus: its subclasses count too
 * @param targets what the event makes stale
 * @example
 * class Users {
 *   @Cached({ name: 'users' })
 *   @InvalidatesOn('user.updated', (event: { id: number }) => key('users', event.id))
 *   async find(id: number): Promise<User> { ... }
 * }
 */
export const InvalidatesOn: InvalidatesOnDecorator = invalidatesOnBy(undefined);

/** @param container that gives instances their cache; none where `decorate` does */
export function invalidatesOnBy(container: Container | undefined): InvalidatesOnDecorator {
  return (event, targets, options = {}) =>
    (classOrPrototype: object) => {
      const prototype =
        typeof classOrPrototype === 'function' ? (classOrPrototype.prototype as object) : classOrPrototype;
      const property = new CacheProperty(prototype, options.cache, container);
      eventRules.add(prototype, { event, targets: targets as (event: unknown) => Targets, property });
    };
}
