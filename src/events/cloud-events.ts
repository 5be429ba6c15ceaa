import { CloudEventsEndpoint } from './cloud-events-endpoint.ts';
import type { CloudEventsOptions } from './cloud-events-options.ts';
import { type Connection, connection } from './connection.ts';
import { Intake } from './intake.ts';
import { checkHandler, type EventHandler, intakeSettings } from './intake-options.ts';
import type { DomainEvent } from './rule.ts';

/** A connection that is handed requests. */
export interface CloudEventsConnection<E> extends Connection<E> {
  /**
   * Takes the events of a request.
   *
   * - 204: for each of them, its invalidation is in the log, or it makes nothing stale, or everything was covered in its place
   * - 503 with `Retry-After`: for at least one, that is not so yet; send all of them again, which is harmless
   * - 400, 403, 405, 413, 415: sent again, it would be answered the same; the body says what is wrong
   *
   * Never rejects.
   */
  respond(request: Request): Promise<Response>;
}

/**
 * Hands CloudEvents 1.0 that arrive over HTTP to rules: binary, structured (JSON), and batches (JSON). The events of one `source`
 * are handled in the order in which they arrive. The sender keeps an event until it is answered with 204, so nothing is lost
 * with this process.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const events = connectCloudEvents(rules, {
 *   fallback: cache,
 *   logger,
 *   verify: (request) => request.headers.get('authorization') === `Bearer ${secret}`,
 *   events: { 'com.example.user.updated': (event: CloudEvent<{ id: number }>) => ({ type: 'user.updated', id: event.data.id }) },
 * });
 * app.post('/events', (c) => events.respond(c.req.raw));
 */
export function connectCloudEvents<E extends DomainEvent>(
  handler: EventHandler<E>,
  options: CloudEventsOptions<E>,
): CloudEventsConnection<E> {
  const own = ['events', 'verify', 'webhook', 'limit', 'patience', 'retryAfter'];
  const settings = intakeSettings(options, 'connectCloudEvents', own);
  checkHandler(handler, 'connectCloudEvents');
  const endpoint = new CloudEventsEndpoint<E>(
    new Intake(handler, settings, { keeps: true, waits: false }),
    options,
    settings.clock,
  );
  const connected = connection(endpoint.intake, () => endpoint.leave());
  return { ...connected, respond: (request) => endpoint.respond(request) };
}
