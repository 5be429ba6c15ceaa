import { Inject, Logger } from '@nestjs/common';
import { type DecoratorSet, decoratorsFor, textLogger } from '../decorators/index.ts';

const nest: DecoratorSet = decoratorsFor({ name: 'Nest', inject: Inject, logger: textLogger(new Logger('Tidemark')) });

/**
 * Reads a provider's method through the cache, as `Cached` of `tidemark/decorators`; instances of every scope have it from Nest.
 *
 * What the method returns must follow from its arguments. One that looks up the current user elsewhere, such as in an injected
 * request, would serve one user's value to another: pass the user, or say so with `instance`.
 *
 * An instance that Nest has not made, as in a unit test, has no cache: its method just runs.
 *
 * @param options `ttl`, `tags` and the others of a query, see {@link CachedOptions}; what is wrong with them fails the
 * application's start
 * @example
 * class Reports {
 *   @Cached({ name: 'fr:budgets', ttl: '5m', tags: (orgId: string) => [`org:${orgId}`] })
 *   async budgets(orgId: string, period: string): Promise<Budget[]> { ... }
 * }
 */
export const Cached: DecoratorSet['Cached'] = nest.Cached;

/**
 * Injects a cache of `TidemarkModule` into a constructor's parameter or a property.
 *
 * @param as the `as` of its registration, where the application has several
 * @example constructor(@InjectCache() cache: Cache) {}
 */
export const InjectCache: DecoratorSet['InjectCache'] = nest.InjectCache;

/**
 * Invalidates what a provider's method has made stale, once it has succeeded, as `Invalidates` of `tidemark/decorators`: whoever waits
 * for the method reads nothing older afterwards. A method that fails invalidates nothing, so let it commit what it changes.
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
export const Invalidates: DecoratorSet['Invalidates'] = nest.Invalidates;

/**
 * Invalidates when an event is heard on one of the emitters and buses that `TidemarkModule` was given as `events`, as `InvalidatesOn`
 * of `tidemark/decorators`. It stands on a provider or on one of its methods, such as the cached method that it is about; where it
 * stands makes no other difference.
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
export const InvalidatesOn: DecoratorSet['InvalidatesOn'] = nest.InvalidatesOn;
