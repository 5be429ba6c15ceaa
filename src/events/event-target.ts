import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Mapped, Mapper } from './arrival.ts';
import { type Connection, connection } from './connection.ts';
import { Intake } from './intake.ts';
import { checkHandler, type EventHandler, type IntakeOptions, intakeSettings } from './intake-options.ts';
import { checkMapping } from './mapping.ts';
import type { DomainEvent } from './rule.ts';

/** The part of an `EventTarget` that is needed. */
export interface EventTargetLike {
  addEventListener(name: string, listener: (event: Event) => void): void;
  removeEventListener(name: string, listener: (event: Event) => void): void;
}

export interface EventTargetOptions<E> extends IntakeOptions<E> {
  /** What its events are called here; in reports. Default `'event-target'`. */
  readonly source?: string;
  /** For each event that matters, which domain events it is; its author says what kind of `Event` it is. */
  readonly events: Readonly<Record<string, Mapper<Event, E>>>;
}

/**
 * Hands the events of an `EventTarget` to rules, as {@link connectEmitter} does for an emitter.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const connection = connectEventTarget(target, rules, {
 *   fallback: cache,
 *   logger,
 *   events: { 'user-renamed': (event: CustomEvent<number>) => ({ type: 'user.updated', id: event.detail }) },
 * });
 */
export function connectEventTarget<E extends DomainEvent>(
  target: EventTargetLike,
  handler: EventHandler<E>,
  options: EventTargetOptions<E>,
): Connection<E> {
  const settings = intakeSettings(options, 'connectEventTarget', ['source', 'events']);
  checkHandler(handler, 'connectEventTarget');
  const events = options.events as Readonly<Record<string, (event: Event) => Mapped<E>>>;
  const mapping = checkMapping(events, 'connectEventTarget');
  if (typeof target?.addEventListener !== 'function' || typeof target.removeEventListener !== 'function')
    throw new TidemarkError('INVALID_OPTION', `connectEventTarget: ${shorten(target)} is no EventTarget.`);
  const { source = 'event-target' } = options;
  const intake = new Intake(handler, settings, { keeps: false, waits: false });
  const listeners = mapping.map(([name, map]) => {
    const listener = (event: Event): void => void intake.take(() => map(event), { source });
    target.addEventListener(name, listener);
    return () => target.removeEventListener(name, listener);
  });
  return connection(intake, () => {
    for (const stop of listeners) stop();
  });
}
