import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Mapped, Mapper } from '../events/arrival.ts';
import { type Connection, connection } from '../events/connection.ts';
import { Intake } from '../events/intake.ts';
import { checkHandler, type EventHandler, type IntakeOptions, intakeSettings } from '../events/intake-options.ts';
import { checkMapping } from '../events/mapping.ts';
import type { DomainEvent } from '../events/rule.ts';
import type { NatsMessage } from './message.ts';
import { checkSubject } from './subject.ts';

/** The part of a connection of `@nats-io/transport-node` that is needed. */
export interface NatsConnection {
  subscribe(
    subject: string,
    options: { queue?: string; callback: (error: Error | null, message: NatsMessage) => void },
  ): { readonly closed: Promise<void | Error>; unsubscribe(): void };
  status(): AsyncIterable<{ readonly type: string }>;
}

export interface NatsOptions<E> extends IntakeOptions<E> {
  /** What its events are called here; in reports. Default `'nats'`. */
  readonly source?: string;
  /** The queue group: of all processes that name the same one, one is given each message. All caches hear of it by the log. */
  readonly queue?: string;
  /** For each subject, `*` and `>` included, which domain events a message is. */
  readonly events: Readonly<Record<string, Mapper<NatsMessage, E>>>;
}

/**
 * Hands messages of core NATS to rules, in the order in which they arrive. Core NATS delivers **at most once**: what is published
 * while nobody of the queue group is connected is gone. So everything is covered after each reconnection. What was published while no process ran is heard of by
 * nobody: where that matters, use a stream ({@link connectJetStream}).
 *
 * @param nats a connection; it is not closed with this
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const connected = connectNats(await connect({ servers, maxReconnectAttempts: -1 }), rules, {
 *   fallback: cache,
 *   logger,
 *   queue: 'caches',
 *   events: { 'users.*.updated': (message) => ({ type: 'user.updated', id: message.json<{ id: number }>().id }) },
 * });
 */
export function connectNats<E extends DomainEvent>(
  nats: NatsConnection,
  handler: EventHandler<E>,
  options: NatsOptions<E>,
): Connection<E> {
  const settings = intakeSettings(options, 'connectNats', ['source', 'queue', 'events']);
  checkHandler(handler, 'connectNats');
  const events = options.events as Readonly<Record<string, (message: NatsMessage) => Mapped<E>>>;
  const mapping = checkMapping(events, 'connectNats');
  for (const [subject] of mapping) checkSubject(subject, 'connectNats');
  if (typeof nats?.subscribe !== 'function' || typeof nats.status !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `connectNats: ${shorten(nats)} is no connection. Give what connect() of @nats-io/transport-node resolves with.`,
    );
  const { source = 'nats', queue } = options;
  const intake = new Intake(handler, settings, { keeps: false, waits: false });
  let open = true;
  const ended = (cause: unknown): void => {
    if (open) intake.tell({ type: 'ended', source, cause });
  };
  const subscriptions = mapping.map(([subject, map]) => {
    const callback = (error: Error | null, message: NatsMessage): void => {
      if (error !== null) ended(error);
      else if (open) void intake.take(() => map(message), { source });
    };
    const subscription = nats.subscribe(subject, { ...(queue === undefined ? {} : { queue }), callback });
    void subscription.closed.then(ended, ended);
    return subscription;
  });
  const stopWatching = watch(nats, (cause) => void intake.missed(source, cause));
  return connection(intake, () => {
    open = false;
    stopWatching();
    for (const it of subscriptions) it.unsubscribe();
  });
}

/** Tells when messages may have been missed. */
function watch(nats: NatsConnection, missed: (cause: Error) => void): () => void {
  // Its type does not name the method; without it the connection would keep what it has to tell for ever.
  const updates: AsyncIterable<{ readonly type: string }> & { stop?(): void } = nats.status();
  const follow = async (): Promise<void> => {
    for await (const { type } of updates)
      if (type === 'reconnect') missed(new Error('The connection was lost for a while'));
  };
  follow().catch(() => {}); // The connection has ended, which the subscriptions tell of.
  return () => updates.stop?.();
}
