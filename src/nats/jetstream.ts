import type { Duration } from '../coherence/duration.ts';
import { milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Mapped, Mapper } from '../events/arrival.ts';
import { type Connection, connection } from '../events/connection.ts';
import { Intake } from '../events/intake.ts';
import { checkHandler, type EventHandler, type IntakeOptions, intakeSettings } from '../events/intake-options.ts';
import { checkMapping } from '../events/mapping.ts';
import type { DomainEvent } from '../events/rule.ts';
import { Consumption } from './consumption.ts';
import { checkConsumer, type JetStreamClient } from './jetstream-client.ts';
import type { NatsMessage } from './message.ts';
import { checkSubject } from './subject.ts';

export interface JetStreamOptions<E> extends IntakeOptions<E> {
  /** The name of the stream. */
  readonly stream: string;
  /** The name of its durable consumer. Processes that name the same one share its messages: one in the fleet handles each. */
  readonly durable: string;
  /** For each subject, `*` and `>` included, which domain events a message is; the first that matches counts. */
  readonly events: Readonly<Record<string, Mapper<NatsMessage, E>>>;
  /** After what time a message is delivered again that was given up and could not be covered; default `'1m'`. */
  readonly redeliverAfter?: Duration;
}

/**
 * Hands the messages of a durable consumer of a stream to rules, in their order. A message is acknowledged only once the log has
 * its invalidation: whatever dies before that, it is delivered again. As long as the log takes no records, messages wait, and the
 * server is told that they are worked on.
 *
 * A message that is given up is terminated once everything was covered in its place; without a cache to fall back on, it is
 * delivered again later, as often as it takes. Everything is covered, too, where the stream may have dropped messages that this
 * consumer has not had, or the consumer was made anew.
 *
 * @param js what `jetstream(connection)` returns; the connection is not closed with this
 * @throws TidemarkError `INVALID_OPTION`, also for a consumer that is not durable, does not acknowledge explicitly, or drops
 * messages by itself; what the client rejects with, where stream or consumer are not there
 * @example
 * const js = jetstream(await connect({ servers, maxReconnectAttempts: -1 }));
 * const manager = await jetstreamManager(nats);
 * await manager.consumers.add('EVENTS', { durable_name: 'caches', ack_policy: 'explicit', filter_subject: 'users.>' });
 * const connected = await connectJetStream(js, rules, {
 *   fallback: cache,
 *   logger,
 *   stream: 'EVENTS',
 *   durable: 'caches',
 *   events: { 'users.*.updated': (message) => ({ type: 'user.updated', id: message.json<{ id: number }>().id }) },
 * });
 */
export async function connectJetStream<E extends DomainEvent>(
  js: JetStreamClient,
  handler: EventHandler<E>,
  options: JetStreamOptions<E>,
): Promise<Connection<E>> {
  const settings = intakeSettings(options, 'connectJetStream', ['stream', 'durable', 'events', 'redeliverAfter']);
  checkHandler(handler, 'connectJetStream');
  const events = options.events as Readonly<Record<string, (message: NatsMessage) => Mapped<E>>>;
  const mapping = checkMapping(events, 'connectJetStream');
  for (const [subject] of mapping) checkSubject(subject, 'connectJetStream');
  const { stream, durable } = options;
  for (const [name, value] of Object.entries({ stream, durable }))
    if (typeof value !== 'string' || value === '')
      throw new TidemarkError('INVALID_OPTION', `connectJetStream: ${name}: ${shorten(value)} is no name. Give it.`);
  const redeliverAfter = milliseconds(options.redeliverAfter ?? '1m', 'redeliverAfter');
  const consumer = await js.consumers.get(stream, durable);
  checkConsumer(await consumer.info(), durable);
  const intake = new Intake(handler, settings, { keeps: true, waits: true });
  const consumption = new Consumption({ js, stream, durable, intake, mapping, redeliverAfter, ...settings });
  await consumption.start();
  return connection(intake, () => consumption.stop());
}
