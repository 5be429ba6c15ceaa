import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Mapped, Mapper } from './arrival.ts';
import { type Connection, connection } from './connection.ts';
import { Intake } from './intake.ts';
import { checkHandler, type EventHandler, type IntakeOptions, intakeSettings } from './intake-options.ts';
import type { DomainEvent } from './rule.ts';

/** What an observable calls. */
interface Observer<T> {
  next(value: T): void;
  error(cause: unknown): void;
  complete(): void;
}

/**
 * Anything that calls back with what happens: an observable of RxJS or of TC39's proposal, the event bus of NestJS CQRS, a store,
 * or `{ subscribe: (fn) => bus.subscribe('users', fn) }` around whatever a bus wants to be told.
 *
 * It may answer with, or with a promise of: a function that unsubscribes, an object with `unsubscribe`, something disposable, or
 * nothing.
 */
export interface Subscribable<T> {
  subscribe(listener: (value: T) => void): unknown;
}

export interface SubscribableOptions<T, E> extends IntakeOptions<E> {
  /** What its events are called here; in reports. Default `'subscribable'`. */
  readonly source?: string;
  /** Which domain events a value is; `undefined` for one that matters to no rule. */
  readonly event: Mapper<T, E>;
}

/**
 * Hands what something calls back with to rules, as {@link connectEmitter} does for an emitter. An observable that fails or
 * completes is reported: nothing comes after that.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure; whatever `subscribe` throws
 * @example
 * const connection = connectSubscribable(subject, rules, {
 *   fallback: cache,
 *   logger,
 *   event: (message) => ({ type: 'user.updated', id: message.userId }),
 * });
 */
export function connectSubscribable<T, E extends DomainEvent>(
  subscribable: Subscribable<T>,
  handler: EventHandler<E>,
  options: SubscribableOptions<T, E>,
): Connection<E> {
  const settings = intakeSettings(options, 'connectSubscribable', ['source', 'event']);
  checkHandler(handler, 'connectSubscribable');
  const { source = 'subscribable' } = options;
  const event = options.event as (value: T) => Mapped<E>;
  if (typeof event !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `connectSubscribable: event: ${shorten(event)} is not a function. Give one from a value to domain events.`,
    );
  if (typeof subscribable?.subscribe !== 'function')
    throw new TidemarkError('INVALID_OPTION', `connectSubscribable: ${shorten(subscribable)} has no subscribe().`);
  const intake = new Intake(handler, settings, { keeps: false, waits: false });
  let open = true;
  const next = (value: T): void => {
    if (open) void intake.take(() => event(value), { source });
  };
  const ended = (cause: unknown): void => {
    if (open) intake.tell({ type: 'ended', source, cause });
  };
  const answer = subscribe(subscribable, { next, error: ended, complete: () => ended(undefined) });
  // A subscription that is made later may fail later.
  void Promise.resolve(answer).catch(ended);
  return connection(intake, async () => {
    open = false;
    await unsubscribe(answer);
  });
}

/** An observable given a mere function would throw its errors where nobody can catch them. */
function subscribe<T>(subscribable: Subscribable<T>, observer: Observer<T>): unknown {
  if (isObservable(subscribable)) return subscribable.subscribe(observer);
  return subscribable.subscribe((value) => observer.next(value));
}

function isObservable<T>(it: object): it is { subscribe(observer: Observer<T>): unknown } {
  return '@@observable' in it || ('pipe' in it && typeof it.pipe === 'function');
}

async function unsubscribe(answer: unknown): Promise<void> {
  const subscription: unknown = await Promise.resolve(answer).catch(() => undefined);
  if (typeof subscription === 'function') {
    await (subscription as () => unknown)();
    return;
  }
  if (typeof subscription !== 'object' || subscription === null) return;
  for (const name of ['unsubscribe', Symbol.asyncDispose, Symbol.dispose]) {
    const end: unknown = (subscription as Record<PropertyKey, unknown>)[name];
    if (typeof end !== 'function') continue;
    await (end as (this: unknown) => unknown).call(subscription);
    return;
  }
}
