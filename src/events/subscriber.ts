import { within } from '../coherence/deadline.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Reading } from '../coherence/log.ts';
import { Pause } from '../coherence/pause.ts';
import { formatToken, type Position, type Token } from '../coherence/position.ts';
import type { LogRecord } from '../coherence/record.ts';
import { Delivery } from './delivery.ts';
import type { EntityMap } from './entity.ts';
import type { Gap, GapReason } from './gap.ts';
import { type LogAccess, openLog } from './log-access.ts';
import { messageOf } from './message.ts';
import { type SubscriberOptions, type SubscriberSettings, subscriberSettings } from './subscriber-options.ts';

/** Numbers since the subscriber was made, and what is now. */
export interface SubscriberStatistics {
  /** `waiting`: the log does not answer, or it has not been reached yet. */
  readonly state: 'waiting' | 'following' | 'closed';
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

/** Pauses between attempts while the log does not answer, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/**
 * Hears of every change, in order, for a service that keeps a cache of its own. Made by {@link createSubscriber}.
 */
export class Subscriber<E extends EntityMap<E> = Record<string, string>> {
  readonly #options: SubscriberOptions<E>;
  readonly #settings: SubscriberSettings;
  readonly #access: LogAccess;
  readonly #delivery: Delivery;
  readonly #pauses: Pause;
  /** Where it is; `undefined` while the gap before the next message is not reported yet. */
  #position: Position | undefined;
  #gap: Exclude<GapReason, 'failed'> = 'start';
  #handled: Token | undefined;
  #state: SubscriberStatistics['state'] = 'waiting';
  #provenAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #buffered = 0;
  #reading = false;
  #count = { delivered: 0, failures: 0, failed: 0 };
  readonly #gaps: Record<GapReason, number> = { start: 0, trimmed: 0, epoch: 0, failed: 0 };
  readonly #ready: Promise<void>;
  #isReady: () => void = () => {};
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;

  /** Use {@link createSubscriber}. */
  constructor(options: SubscriberOptions<E>) {
    this.#settings = subscriberSettings(options);
    this.#options = options;
    const { context, from, timeout } = this.#settings;
    this.#access = openLog(options, context);
    this.#pauses = new Pause(context.clock);
    this.#delivery = new Delivery({ ...context, timeout, failed: (...about) => this.#noteFailure(...about) });
    this.#position = from;
    this.#handled = from && formatToken(from);
    this.#ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.#ended = this.#run();
  }

  /** The position behind which to resume, as `from` of the next subscriber: of what was handled last. */
  get position(): Token | undefined {
    return this.#handled;
  }

  /**
   * Resolves when the subscriber has reached the end of the log for the first time.
   *
   * @param within how long to wait; default `'5s'`
   * @throws TidemarkError `NOT_READY` after that
   */
  ready(within: Duration = '5s'): Promise<void> {
    const ms = milliseconds(within, 'ready');
    return new Promise((resolve, reject) => {
      const cancel = this.#settings.context.clock.schedule(ms, () =>
        reject(
          new TidemarkError(
            'NOT_READY',
            `The subscriber has not reached the end of its log after ${ms} ms. Check that the log's server is reachable, and that onGap and onMessage succeed.`,
          ),
        ),
      );
      void this.#ready.then(() => {
        cancel();
        resolve();
      });
    });
  }

  statistics(): SubscriberStatistics {
    return {
      state: this.#state,
      ...this.#count,
      gaps: { ...this.#gaps },
      buffered: this.#buffered,
      provenAge: this.#settings.context.stopwatch.now() - this.#provenAt,
    };
  }

  /** Reads no more; resolves when the callback that is running has ended, at most after `drain` (default `'1s'`). */
  async close(options: { readonly drain?: Duration } = {}): Promise<void> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    this.#closing ??= this.#close(ms);
    return this.#closing;
  }

  async #close(drain: number): Promise<void> {
    this.#state = 'closed';
    this.#delivery.stop();
    this.#pauses.end();
    const { clock } = this.#settings.context;
    // A reading that is under way is of no use any more; what is being handled is finished, so that the position is right.
    if (!this.#reading)
      await within(clock, drain, this.#ended, () => new Error('late')).catch(() => this.#delivery.abort());
    await this.#access.close();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        // A log that breaks off time and again must not be asked in a tight loop. (After a failure it was not.)
        if (this.#position === undefined && this.#failures > 1 && this.#state === 'following') await this.#pause();
        if (this.#closed) return;
        await (this.#position === undefined ? this.#begin() : this.#readOn(this.#position));
      } catch (error) {
        if (this.#closed) return;
        this.#fallBehind(error);
        this.#failures++;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures - 1, 10));
    return this.#pauses.pass(ms * (0.5 + this.#settings.context.random()));
  }

  /**
   * Finds where to go on, and says that nothing is known of what was before: in this order, so that nothing is missed. In
   * another life of the log everything in it is new; else it is the end, since what is dropped needs no messages.
   */
  async #begin(): Promise<void> {
    const end = await this.#read({ epoch: '', number: 0 }, 0, 0);
    if (this.#closed) return;
    const position = { epoch: end.epoch, number: this.#gap === 'epoch' ? 0 : end.head };
    const upTo = formatToken(position);
    if (!(await this.#report({ reason: this.#gap, after: this.#handled, upTo }))) return;
    this.#position = position;
    this.#handled = upTo;
    this.#prove(end, position.number);
  }

  async #readOn(position: Position): Promise<void> {
    const { maxLag } = this.#settings.context.logOptions;
    // Who resumes wants to know at once whether that is possible.
    const isFirst = this.#state === 'waiting' && this.#provenAt === Number.NEGATIVE_INFINITY;
    const reading = await this.#read(position, isFirst ? 0 : maxLag / 4, this.#settings.buffer);
    if (this.#closed) return;
    this.#follow();
    if (reading.epoch !== position.epoch || !(reading.head >= position.number)) return this.#lose('epoch');
    let { number } = position;
    this.#buffered = reading.records.length;
    for (const record of reading.records) {
      if (record.prev !== number) return this.#lose('trimmed');
      if (!(await this.#handle(record, position.epoch))) return;
      ({ number } = record);
      this.#position = { epoch: position.epoch, number };
      this.#handled = formatToken(this.#position);
      this.#buffered--;
    }
    // Nothing to read although the log goes on: what was there has been trimmed or lost.
    if (reading.records.length === 0 && number < reading.head) return this.#lose('trimmed');
    this.#failures = 0;
    this.#prove(reading, number);
  }

  /** Notes how fresh it is, if everything up to the head of a reading was handled. */
  #prove({ head, provenAt }: Reading, number: number): void {
    if (number < head || provenAt === undefined) return;
    this.#provenAt = provenAt;
    this.#isReady();
  }

  async #read(after: Position, wait: number, limit: number): Promise<Reading> {
    const { clock, logOptions } = this.#settings.context;
    this.#reading = true;
    try {
      const work = this.#access.log.read(after, { wait, limit });
      return await within(clock, wait + logOptions.maxLag, work, () => new Error('the log did not answer'));
    } finally {
      this.#reading = false;
    }
  }

  /** Whether the next record may be handled: `false` where the subscriber was closed before this one was. */
  async #handle(record: LogRecord, epoch: string): Promise<boolean> {
    const { entities, retries } = this.#settings;
    const message = messageOf<E>(record, epoch, entities);
    if (message === undefined) return true;
    const outcome = await this.#delivery.deliver((run) => this.#options.onMessage(message, run), 1 + retries);
    if (outcome.status === 'done') this.#count.delivered++;
    if (outcome.status !== 'failed') return outcome.status === 'done';
    this.#count.failed++;
    const { error } = outcome;
    return this.#report({ reason: 'failed', after: this.#handled, upTo: message.position, message, error });
  }

  /** Whether the gap was taken note of. */
  async #report(gap: Gap<E>): Promise<boolean> {
    const { logger } = this.#settings.context;
    if (gap.reason !== 'start')
      logger?.warn(
        { event: 'subscriber_gap', ...gap, ...('error' in gap ? { err: gap.error } : {}) },
        `subscriber_gap reason=${gap.reason}: everything that is cached has to be dropped`,
      );
    const run = (attempt: Parameters<SubscriberOptions<E>['onGap']>[1]): unknown => this.#options.onGap(gap, attempt);
    const outcome = await this.#delivery.deliver(run, Number.POSITIVE_INFINITY);
    if (outcome.status !== 'done') return false;
    this.#gaps[gap.reason]++;
    return true;
  }

  #lose(reason: Exclude<GapReason, 'failed'>): void {
    this.#failures++;
    this.#buffered = 0;
    this.#gap = reason;
    this.#position = undefined;
  }

  #follow(): void {
    if (this.#state === 'following') return;
    this.#state = 'following';
    this.#settings.context.logger?.info({ event: 'subscriber_following' }, 'subscriber_following');
  }

  #fallBehind(cause: unknown): void {
    if (this.#state === 'waiting') return;
    this.#state = 'waiting';
    this.#settings.context.logger?.warn(
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

  get #closed(): boolean {
    return this.#state === 'closed';
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
