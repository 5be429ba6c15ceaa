import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { PartContext } from '../coherence/part.ts';
import { parseToken, type Position, type Token } from '../coherence/position.ts';
import type { Attempt } from './delivery.ts';
import type { EntityMap, EntityName } from './entity.ts';
import type { Gap } from './gap.ts';
import { checkLogAccess, type LogAccessOptions, wholeNumber } from '../cache/log-access.ts';
import type { Message } from './message.ts';

export interface SubscriberOptions<E extends EntityMap<E> = Record<string, string>> extends LogAccessOptions {
  /**
   * Called with each message, in order, one at a time: nothing more is read while it runs. What it throws, or that it is late,
   * is a failure: it is called again. May be asynchronous.
   */
  readonly onMessage: (message: Message<E>, run: Attempt) => unknown;
  /**
   * Called where messages are missing, and at the start: drop everything that was cached until now. No message is handed on
   * until it has succeeded; it is called again, with growing pauses, as often as it takes.
   */
  readonly onGap: (gap: Gap<E>, run: Attempt) => unknown;
  /** Where to resume: the `position` of the message, or of the subscriber, that was handled last. Default: at the end. */
  readonly from?: Token;
  /** The entities that this service knows: others arrive without `entity`. Default: all are passed on. */
  readonly entities?: readonly EntityName<E>[];
  /** How often a failed callback is called again before its message counts as a gap; default 3. */
  readonly retries?: number;
  /** Time for one run of a callback; default `'30s'`. */
  readonly timeout?: Duration;
  /** Most messages that are read ahead of the callback; default 100. */
  readonly buffer?: number;
}

/** {@link SubscriberOptions}, checked and complete. */
export interface SubscriberSettings {
  readonly context: PartContext;
  readonly from: Position | undefined;
  readonly entities: ReadonlySet<string> | undefined;
  readonly retries: number;
  readonly timeout: number;
  readonly buffer: number;
}

type OwnOption = Exclude<keyof SubscriberOptions, keyof LogAccessOptions>;

/** By their type no name can be missing. */
const OWN: Record<OwnOption, true> = {
  onMessage: true,
  onGap: true,
  from: true,
  entities: true,
  retries: true,
  timeout: true,
  buffer: true,
};

/** @throws TidemarkError `INVALID_OPTION`, `INVALID_KEY` or `INVALID_TOKEN`, naming the option and the cure */
export function subscriberSettings<E extends EntityMap<E>>(options: SubscriberOptions<E>): SubscriberSettings {
  const context = checkLogAccess(options, 'createSubscriber', Object.keys(OWN));
  for (const name of ['onMessage', 'onGap'] as const) {
    if (typeof options[name] === 'function') continue;
    throw new TidemarkError(
      'INVALID_OPTION',
      `${name}: ${shorten(options[name])} is no function. Give one: onMessage applies a change, onGap drops everything that is cached.`,
    );
  }
  return {
    context,
    from: options.from === undefined ? undefined : parseToken(options.from),
    entities: options.entities && new Set(options.entities),
    retries: wholeNumber(options.retries ?? 3, 'retries', 0),
    timeout: milliseconds(options.timeout ?? '30s', 'timeout'),
    buffer: wholeNumber(options.buffer ?? 100, 'buffer'),
  };
}
