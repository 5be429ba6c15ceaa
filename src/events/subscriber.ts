import { within } from '../coherence/deadline.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Token } from '../coherence/position.ts';
import type { LogRecord } from '../coherence/record.ts';
import { Delivery } from './delivery.ts';
import type { EntityMap } from './entity.ts';
import type { Gap, GapReason } from './gap.ts';
import { type LogAccess, openLog } from '../cache/log-access.ts';
import { messageOf } from './message.ts';
import { Reception, type ReceptionState } from './reception.ts';
import { type SubscriberOptions, type SubscriberSettings, subscriberSettings } from './subscriber-options.ts';

/** Numbers since the subscriber was made, and what is now. */
export interface SubscriberStatistics {
  /** `waiting`: the log does not answer, or it has not been reached yet. */
  readonly state: ReceptionState;
  /** Messages that were handled. */
  readonly delivered: number;
  /** Runs of a callback that have failed. */
  readonly failures: number;
  /** Messages that were given up. */
  readonly failed: number;
  /** Gaps that were reported, by reason. */
  readonly gaps: Readonly<Record<GapReason, number>>;
  /** Records that were read and are not handled yet. */
  readonly buffered: number;
  /** How long ago, in ms, it is certain that everything published until then was handled; `Infinity` before the first time. */
  readonly provenAge: number;
}

/** Hears of every change, in order, for a service that keeps a cache of its own. Made by {@link createSubscriber}. */
export class Subscriber<E extends EntityMap<E> = Record<string, string>> {
  readonly #options: SubscriberOptions<E>;
  readonly #settings: SubscriberSettings;
  readonly #access: LogAccess;
  readonly #delivery: Delivery;
  readonly #reception: Reception;
  #count = { delivered: 0, failures: 0, failed: 0 };
  readonly #gaps: Record<GapReason, number> = { start: 0, trimmed: 0, epoch: 0, failed: 0 };
  readonly #ready: Promise<void>;
  #isReady: () => void = () => {};
  #closing: Promise<void> | undefined;

  /** Use {@link createSubscriber}. */
  constructor(options: SubscriberOptions<E>) {
    this.#settings = subscriberSettings(options);
    this.#options = options;
    const { context, timeout } = this.#settings;
    this.#ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.#access = openLog(options, context);
    this.#delivery = new Delivery({ ...context, timeout, failed: (...about) => this.#noteFailure(...about) });
    const receiver = {
      take: (record: LogRecord, epoch: string) => this.#handle(record, epoch),
      takeBreak: (gap: Gap<E>) => this.#report(gap),
      stateChanged: (state: ReceptionState, cause: unknown) => this.#noteState(state, cause),
      caughtUp: () => this.#isReady(),
    };
    this.#reception = new Reception({ ...this.#settings, log: this.#access.log, receiver });
    this.#reception.start();
  }

  /** The position behind which to resume, as `from` of the next subscriber: of what was handled last. */
  get position(): Token | undefined {
    return this.#reception.position;
  }

  /**
   * Resolves when the subscriber has reached the end of the log for the first time.
   *
   * @param patience how long to wait; default `'5s'`
   * @throws TidemarkError `NOT_READY` after that
   */
  ready(patience: Duration = '5s'): Promise<void> {
    const ms = milliseconds(patience, 'ready');
    const late = (): Error =>
      new TidemarkError(
        'NOT_READY',
        `The subscriber has not reached the end of its log after ${ms} ms. Check that the log's server is reachable, and that onGap and onMessage succeed.`,
      );
    return within(this.#settings.context.clock, ms, this.#ready, late);
  }

  statistics(): SubscriberStatistics {
    const { state, buffered, provenAt } = this.#reception;
    return {
      state,
      ...this.#count,
      gaps: { ...this.#gaps },
      buffered,
      provenAge: this.#settings.context.stopwatch.now() - provenAt,
    };
  }

  /**
   * Reads no more, and lets the callback that is running end, for at most `drain` (default `'1s'`). Then `position` is final,
   * unless the callback goes on in spite of its signal.
   */
  async close(options: { readonly drain?: Duration } = {}): Promise<void> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    this.#closing ??= this.#close(ms);
    return this.#closing;
  }

  async #close(drain: number): Promise<void> {
    this.#delivery.stop();
    const stopped = this.#reception.stop();
    const late = (): Error => new Error('late');
    await within(this.#settings.context.clock, drain, stopped, late).catch(() => this.#delivery.abort());
    await this.#access.close();
  }

  /** Whether the next record may follow: `false` where the subscriber was closed before this one was handled. */
  async #handle(record: LogRecord, epoch: string): Promise<boolean> {
    const { entities, retries } = this.#settings;
    const message = messageOf<E>(record, epoch, entities);
    if (message === undefined) return true;
    const outcome = await this.#delivery.deliver((run) => this.#options.onMessage(message, run), 1 + retries);
    if (outcome.status === 'done') this.#count.delivered++;
    if (outcome.status !== 'failed') return outcome.status === 'done';
    this.#count.failed++;
    const { error } = outcome;
    return this.#report({ reason: 'failed', after: this.position, upTo: message.position, message, error });
  }

  /** Whether the gap was taken note of. */
  async #report(gap: Gap<E>): Promise<boolean> {
    const { logger } = this.#settings.context;
    if (gap.reason !== 'start')
      logger?.warn(
        { event: 'subscriber_gap', ...gap, ...('error' in gap ? { err: gap.error } : {}) },
        `subscriber_gap reason=${gap.reason}: everything that is cached has to be dropped`,
      );
    const outcome = await this.#delivery.deliver((run) => this.#options.onGap(gap, run), Number.POSITIVE_INFINITY);
    if (outcome.status !== 'done') return false;
    this.#gaps[gap.reason]++;
    return true;
  }

  #noteState(state: ReceptionState, cause: unknown): void {
    const { logger } = this.#settings.context;
    if (state === 'following') logger?.info({ event: 'subscriber_following' }, 'subscriber_following');
    else
      logger?.warn(
        { event: 'subscriber_waiting', err: cause },
        'subscriber_waiting: messages come when the log answers again',
      );
  }

  #noteFailure(error: unknown, attempt: number, again: boolean): void {
    this.#count.failures++;
    this.#settings.context.logger?.warn(
      { event: 'subscriber_callback', attempt, err: error },
      `subscriber_callback: failed${again ? ', and is called again' : ''}`,
    );
  }
}

/**
 * Subscribes to every change of a log: messages of publishers, and what caches of the same name invalidate.
 *
 * It begins at once, works with or without its server, and needs {@link Subscriber.close}.
 *
 * @throws TidemarkError `INVALID_OPTION`, `INVALID_KEY` or `INVALID_TOKEN` for bad options; that no server answers is no error
 * @example
 * const users = new Map<string, User>();
 * const subscriber = createSubscriber<{ user: number }>({
 *   name: 'shop',
 *   ...redis({ url }),
 *   onMessage: (message) => (message.entity === 'user' ? users.delete(message.entityId) : users.clear()),
 *   onGap: () => users.clear(),
 * });
 */
export function createSubscriber<E extends EntityMap<E> = Record<string, string>>(
  options: SubscriberOptions<E>,
): Subscriber<E> {
  return new Subscriber(options);
}
