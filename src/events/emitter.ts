import type { EventEmitter } from 'node:events';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Mapped } from './arrival.ts';
import { type Connection, connection } from './connection.ts';
import { Intake } from './intake.ts';
import { checkHandler, type EventHandler, type IntakeOptions, intakeSettings } from './intake-options.ts';
import { checkMapping } from './mapping.ts';
import type { DomainEvent } from './rule.ts';

/** The part of an emitter that is needed: Node's, eventemitter2 as NestJS has it, eventemitter3 and others have it. */
export interface EmitterLike {
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  off(name: string, listener: (...args: unknown[]) => void): unknown;
}

/** For each event of an emitter that matters, which domain events its arguments are; typed where the emitter is. */
export type EmitterMapping<S, E> =
  S extends EventEmitter<infer M>
    ? [never] extends M
      ? UntypedMapping<E>
      : { readonly [K in keyof M]?: (...args: M[K] extends readonly unknown[] ? M[K] : never) => Mapped<E> }
    : UntypedMapping<E>;

/** The author of an entry says what its arguments are. */
type UntypedMapping<E> = Readonly<Record<string, { map(...args: unknown[]): Mapped<E> }['map']>>;

export interface EmitterOptions<S, E> extends IntakeOptions<E> {
  /** What its events are called here; in reports. Default `'emitter'`. */
  readonly source?: string;
  readonly events: EmitterMapping<S, E>;
}

/**
 * Hands the events of an emitter in this process to rules, in the order in which they are emitted. `emit` does not wait, and
 * never throws because of it: emit after the change is committed.
 *
 * An emitter forgets what it has emitted: what this process has not handled when it dies is lost with it. For that there are the
 * outbox, and buses that keep events.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const bus = new EventEmitter<{ 'user renamed': [id: number] }>();
 * const connection = connectEmitter(bus, rules, {
 *   fallback: cache,
 *   logger,
 *   events: { 'user renamed': (id) => ({ type: 'user.updated', id }) },
 * });
 */
export function connectEmitter<S extends EmitterLike, E extends DomainEvent>(
  emitter: S,
  handler: EventHandler<E>,
  options: EmitterOptions<S, NoInfer<E>>,
): Connection<E> {
  const settings = intakeSettings(options, 'connectEmitter', ['source', 'events']);
  checkHandler(handler, 'connectEmitter');
  const events = options.events as Readonly<Record<string, (...args: unknown[]) => Mapped<E>>>;
  const mapping = checkMapping(events, 'connectEmitter');
  if (typeof emitter?.on !== 'function' || typeof emitter.off !== 'function')
    throw new TidemarkError('INVALID_OPTION', `connectEmitter: ${shorten(emitter)} has no on() and off().`);
  const { source = 'emitter' } = options;
  const intake = new Intake(handler, settings, { keeps: false, waits: false });
  const listeners = mapping.map(([name, map]) => {
    const listener = (...args: unknown[]): void => void intake.take(() => map(...args), { source });
    emitter.on(name, listener);
    return () => emitter.off(name, listener);
  });
  return connection(intake, () => {
    for (const stop of listeners) stop();
  });
}
