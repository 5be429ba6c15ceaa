import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { wholeNumber } from '../cache/log-access.ts';
import { bytes } from '../cache/size.ts';
import type { Mapped } from './arrival.ts';
import type { CloudEvent } from './cloud-event.ts';
import { cloudEventsOf } from './cloud-event-request.ts';
import type { CloudEventsOptions } from './cloud-events-options.ts';
import type { Intake } from './intake.ts';
import type { Taken } from './lane.ts';
import { checkMapping } from './mapping.ts';
import { Refusal } from './refusal.ts';
import type { DomainEvent } from './rule.ts';
import { handshake } from './webhook.ts';

/** Requests in, answers out; the events in them go to an intake. */
export class CloudEventsEndpoint<E extends DomainEvent> {
  readonly intake: Intake<E>;
  readonly #mapping: ReadonlyMap<string, (event: CloudEvent) => Mapped<E>>;
  readonly #options: CloudEventsOptions<E>;
  readonly #limit: number;
  readonly #patience: number;
  readonly #again: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  #open = true;

  constructor(intake: Intake<E>, options: CloudEventsOptions<E>, clock: Clock) {
    const events = options.events as Readonly<Record<string, (event: CloudEvent) => Mapped<E>>>;
    this.intake = intake;
    this.#options = options;
    this.#clock = clock;
    this.#mapping = new Map(checkMapping(events, 'connectCloudEvents'));
    this.#limit = bytes(options.limit ?? '1mb', 'limit');
    this.#patience = milliseconds(options.patience ?? '10s', 'patience');
    const seconds = Math.ceil(milliseconds(options.retryAfter ?? '5s', 'retryAfter') / 1_000);
    this.#again = { 'retry-after': String(seconds) };
    const { verify, webhook } = options;
    if (verify !== false && typeof verify !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `verify: ${shorten(verify)} is no function. Give one that says whether a request's sender may send, or false if something in front of this does.`,
      );
    if (webhook?.rate !== undefined) wholeNumber(webhook.rate, 'webhook.rate');
  }

  leave(): void {
    this.#open = false;
  }

  async respond(request: Request): Promise<Response> {
    try {
      return await this.#respond(request);
    } catch (error) {
      if (error instanceof Refusal) return this.#refuse(error);
      return this.#refuse(this.#later('An error came up that the logs of this service tell of.'), error);
    }
  }

  async #respond(request: Request): Promise<Response> {
    if (request.method === 'OPTIONS') return handshake(request, this.#options.webhook);
    if (request.method !== 'POST')
      throw new Refusal(405, `${shorten(request.method)} is not for events. POST them.`, { allow: 'OPTIONS, POST' });
    if (!this.#open) throw this.#later('This instance is closing.');
    const denied = await this.#denied(request);
    if (denied !== undefined) return denied;
    if (this.intake.full) throw this.#later('Too many events wait.');
    const events = await cloudEventsOf(request, this.#limit);
    const taken = Promise.all(events.map((event) => this.#take(event)));
    const late = (): Refusal => this.#later('The events are still being handled.');
    return this.#answer(await within(this.#clock, this.#patience, taken, late));
  }

  #refuse(refusal: Refusal, cause?: unknown): Response {
    this.intake.tell({ type: 'refused', status: refusal.status, detail: refusal.message, cause });
    return refusal.response();
  }

  async #denied(request: Request): Promise<Response | undefined> {
    const { verify } = this.#options;
    if (verify === false) return undefined;
    const verdict = await verify(request);
    if (verdict === true) return undefined;
    if (verdict instanceof Response) return verdict;
    throw new Refusal(403, 'Who sends this may not. Send the credentials that were agreed.');
  }

  #take(event: CloudEvent): Promise<Taken> {
    const { source, id, type } = event;
    const map = this.#mapping.get(type);
    if (map !== undefined) return this.intake.take(() => map(event), { source, id });
    this.intake.unmapped(source, type);
    return Promise.resolve({ status: 'handled' });
  }

  #answer(taken: readonly Taken[]): Response {
    const open = taken.find(({ status }) => status !== 'handled' && status !== 'covered');
    if (open === undefined) return new Response(null, { status: 204 });
    switch (open.status) {
      case 'queued':
        throw this.#later('The log does not take records at the moment.');
      case 'closed':
        throw this.#later('This instance is closing.');
      default:
        throw this.#later('An event could not be handled.');
    }
  }

  #later(problem: string): Refusal {
    return new Refusal(503, `${problem} Send the same request again later.`, this.#again);
  }
}
