import { type Duration, milliseconds } from '../coherence/duration.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { NO_GUARD_REMOVED } from '../coherence/guards.ts';
import { Node } from '../coherence/node.ts';
import type { NodeEvent } from '../coherence/node-event.ts';
import type { Token } from '../coherence/position.ts';
import { everything, type Target } from '../coherence/target.ts';
import { Circuit } from './circuit.ts';
import type { EntityMap, EntityName } from './entity.ts';
import { type LogAccess, openLog } from '../cache/log-access.ts';
import { tracedLog } from '../cache/traced-log.ts';
import { Traces } from '../cache/traces.ts';
import { aboutEntity, aboutTargets, type Publication, type PublishDetails, type Sendable } from './publication.ts';
import { type PublisherOptions, type PublisherSettings, publisherSettings } from './publisher-options.ts';
import { Turns } from './turns.ts';

/**
 * What became of a message.
 *
 * - `appended`: it is in the log. Its token is the position that subscribers see, and what caches take as `atLeast`.
 * - `queued`: the log did not take it in time, or it waits for its turn. It is sent as soon as it can be.
 */
export interface Published {
  readonly status: 'appended' | 'queued';
  readonly token: Token;
}

/** Numbers since the publisher was made, and what is now. */
export interface PublisherStatistics {
  /** Messages that were given to it. */
  readonly published: number;
  /** Receipts that said so. */
  readonly appended: number;
  readonly queued: number;
  /** Messages that were replaced by one of everything, because too many waited. */
  readonly overflowed: number;
  /** Messages that wait now: for their turn, or for the log in spite of a receipt that said `queued`. */
  readonly waiting: number;
  /** `open`: receipts say `queued` at once. */
  readonly circuit: 'closed' | 'open';
  /** How often it has opened. */
  readonly opened: number;
}

/** Tells all caches and subscribers of a log what has changed. Made by {@link createPublisher}. */
export class Publisher<E extends EntityMap<E> = Record<string, string>> {
  readonly #options: PublisherOptions<E>;
  readonly #settings: PublisherSettings;
  readonly #access: LogAccess;
  readonly #node: Node;
  readonly #traces: Traces;
  readonly #circuit: Circuit;
  readonly #turns: Turns | undefined;
  #count = { published: 0, appended: 0, queued: 0, overflowed: 0 };
  /** What the log has failed with last. */
  #refusal: unknown;
  #closing: Promise<{ unsent: number }> | undefined;

  /** Use {@link createPublisher}. */
  constructor(options: PublisherOptions<E>) {
    this.#options = options;
    this.#settings = publisherSettings(options);
    const { context, source, rate, failures, patience, maxQueue } = this.#settings;
    this.#access = openLog(options, context);
    this.#circuit = new Circuit(failures, (open) => this.#noteCircuit(open));
    this.#turns = rate && new Turns(rate, context.clock);
    const { tracing } = options;
    this.#traces = new Traces(typeof tracing === 'function' ? tracing(context) : tracing, context.logger);
    const { log } = this.#access;
    this.#node = new Node({
      ...context,
      name: source,
      log: this.#traces.on ? tracedLog(log, this.#traces, () => this.origin) : log,
      presence: undefined,
      tolerance: 0,
      options: context.logOptions,
      patience,
      maxQueue,
      emit: (event) => this.#heed(event),
      removed: NO_GUARD_REMOVED,
    });
    this.#traces.apart(() => this.#node.start());
  }

  /** What its messages carry as their `origin`, so that a subscriber can tell them from others'. */
  get origin(): string {
    return this.#node.origin;
  }

  /**
   * Says that an entity has changed; call it after the change is committed. Never rejects because of the log.
   *
   * @throws TidemarkError for an entity, id or detail that is not one; `CLOSED`
   */
  async publish<K extends EntityName<E>>(entity: K, id: E[K], details: PublishDetails = {}): Promise<Published> {
    return this.#take(aboutEntity<E>(this.#options.entities, entity, id, details));
  }

  /** Several messages by one request; each is one of its own to subscribers. All are checked before the first is sent. */
  async publishAll(publications: readonly Publication<E>[]): Promise<readonly Published[]> {
    const { entities } = this.#options;
    const checked = publications.map((it) => aboutEntity<E>(entities, it.entity, it.id, it));
    return Promise.all(checked.map((it) => this.#take(it)));
  }

  /** Says that whatever the targets cover has changed: keys, tags, patterns, everything, or several of them in one message. */
  async publishTargets(targets: Target | readonly Target[], details: PublishDetails = {}): Promise<Published> {
    const list = Array.isArray(targets) ? (targets as readonly Target[]) : [targets as Target];
    return this.#take(aboutTargets(list, details));
  }

  statistics(): PublisherStatistics {
    return {
      ...this.#count,
      waiting: (this.#turns?.waiting ?? 0) + this.#node.view.pending.size,
      circuit: this.#circuit.open ? 'open' : 'closed',
      opened: this.#circuit.opened,
    };
  }

  /**
   * Sends what waits, rate or not, for at most `drain` (default `'1s'`); then ends.
   *
   * @returns how many messages were not sent
   */
  async close(options: { readonly drain?: Duration } = {}): Promise<{ unsent: number }> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    this.#closing ??= this.#close(ms);
    return this.#closing;
  }

  async #close(drain: number): Promise<{ unsent: number }> {
    this.#turns?.flush();
    const unsent = await this.#node.close(drain);
    await this.#access.close();
    return { unsent };
  }

  async #take(message: Sendable): Promise<Published> {
    if (this.#closing !== undefined)
      throw new TidemarkError('CLOSED', 'The publisher was closed. Publish before close(), or make another one.');
    this.#count.published++;
    const { targets, about } = message;
    const receipt = await this.#traces.span({ type: 'publish', targets, cause: about.cause, node: this.origin }, () => {
      const traced = { targets, about: { ...about, cause: this.#traces.cause(about.cause) ?? about.cause } };
      return this.#turns === undefined ? this.#send(traced) : this.#sendInTurn(this.#turns, traced);
    });
    this.#count[receipt.status]++;
    return receipt;
  }

  /** Nobody waits longer for turn and log together than for the log alone. */
  #sendInTurn(turns: Turns, message: Sendable): Promise<Published> {
    const { clock } = this.#settings.context;
    const { patience, maxQueue } = this.#settings;
    return new Promise((resolve) => {
      const cancel = clock.schedule(patience, () => resolve(this.#queued()));
      const settle = (receipt: Published): void => {
        cancel();
        resolve(receipt);
      };
      turns.take(() => void this.#send(message).then(settle));
      if (turns.waiting > maxQueue) this.#overflow(turns);
    });
  }

  /** Those that wait become one that covers them all. Their callers' patience ends by itself. */
  #overflow(turns: Turns): void {
    this.#noteOverflow(turns.clear());
    turns.take(() => void this.#send(aboutTargets([everything()], { event: 'overflow' })));
  }

  async #send({ targets, about }: Sendable): Promise<Published> {
    const { open } = this.#circuit;
    const { clock } = this.#settings.context;
    const began = clock.monotonic();
    const sent = this.#node.invalidate(targets, about).then(({ status, token }): Published => {
      if (status !== 'queued') return { status: 'appended', token };
      this.#circuit.failed(began, clock.monotonic());
      return this.#queued();
    });
    if (open) return this.#queued();
    const receipt = await sent;
    this.#noteReceipt(receipt, about.cause);
    return receipt;
  }

  #queued(): Published {
    return Object.freeze({ status: 'queued', token: this.#node.makeToken() });
  }

  #heed(event: NodeEvent): void {
    if (event.type === 'sent') this.#circuit.succeeded();
    else if (event.type === 'queued') this.#refusal = event.cause;
    else if (event.type === 'overflowed') this.#noteOverflow(event.dropped);
  }

  #noteReceipt({ status, token }: Published, cause: Sendable['about']['cause']): void {
    const { logger } = this.#settings.context;
    if (status === 'appended')
      logger?.debug({ event: 'publisher_published', cause, position: token }, 'publisher_published');
    else
      logger?.warn(
        { event: 'publisher_queued', cause, err: this.#refusal },
        'publisher_queued: the log did not take a message yet; it is sent again',
      );
  }

  #noteOverflow(dropped: number): void {
    this.#count.overflowed += dropped;
    this.#settings.context.logger?.warn(
      { event: 'publisher_overflow', dropped },
      'publisher_overflow: too many messages waited, and became one of everything',
    );
  }

  #noteCircuit(open: boolean): void {
    const { logger } = this.#settings.context;
    if (!open) return logger?.info({ event: 'publisher_circuit', circuit: 'closed' }, 'publisher_circuit: closed');
    logger?.warn(
      { event: 'publisher_circuit', circuit: 'open', err: this.#refusal },
      'publisher_circuit: open; receipts say queued at once until the log takes a message',
    );
  }
}

/**
 * A publisher for services that change data and keep no cache of this library. Caches of the same name and all subscribers
 * hear of what it publishes, in its order.
 *
 * It works from its first call, with or without its server, and needs {@link Publisher.close}.
 *
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY` for bad options; that no server answers is no error
 * @example
 * const publisher = createPublisher<{ user: number; post: string }>({ name: 'shop', source: 'users', ...redis({ url }) });
 * await publisher.publish('user', 42, { action: 'updated' });
 */
export function createPublisher<E extends EntityMap<E> = Record<string, string>>(
  options: PublisherOptions<E>,
): Publisher<E> {
  return new Publisher(options);
}
