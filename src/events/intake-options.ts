import { type Clock } from '../coherence/clock.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../coherence/logger.ts';
import { wholeNumber } from '../cache/log-access.ts';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import type { IntakeEvent } from './intake-event.ts';
import type { Invalidator } from './invalidator.ts';

/**
 * Who is handed events: rules, or anything with a `handle`. It is called once at a time for each source, and again for the same
 * event if it fails; so doing the same twice has to be harmless, as an invalidation is.
 *
 * Where it resolves with a receipt, that is heeded: `queued` is not in the log yet.
 */
export interface EventHandler<E> {
  handle(event: E): unknown;
}

export interface IntakeOptions<E> {
  /**
   * The cache whose entries are all covered in place of an event that had to be given up, because nobody can say any more what
   * that event made stale. `false`: such an event is only kept aside and reported, and what it made stale may be served until
   * it is retried or the time to live is over.
   */
  readonly fallback: Invalidator | false;
  /** Hears of everything, handled events included. Needed unless there is a `logger`: what is given up must not go unnoticed. */
  readonly report?: (event: IntakeEvent<E>) => void;
  readonly logger?: Logger;
  /** How often a failed event is tried again before it is parked; default 3. */
  readonly retries?: number;
  /** Time for one attempt; default `'30s'`. */
  readonly timeout?: Duration;
  /** Most events that wait; default 10,000. Beyond it all of them are given up at once. */
  readonly maxQueue?: number;
  /** Most events that stay parked; default 1,000. Beyond it the oldest goes, and is reported. */
  readonly maxParked?: number;
  readonly clock?: Clock;
  /** Numbers in [0, 1), for pauses; default: the system's. */
  readonly random?: () => number;
}

/** {@link IntakeOptions}, checked and complete. */
export interface IntakeSettings<E> {
  readonly fallback: Invalidator | undefined;
  readonly report: ((event: IntakeEvent<E>) => void) | undefined;
  readonly logger: Logger | undefined;
  readonly retries: number;
  readonly timeout: number;
  readonly maxQueue: number;
  readonly maxParked: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof IntakeOptions<unknown>, true> = {
  fallback: true,
  report: true,
  logger: true,
  retries: true,
  timeout: true,
  maxQueue: true,
  maxParked: true,
  clock: true,
  random: true,
};

/**
 * @param maker whose options they are, for messages
 * @param own the options that only the maker knows
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 */
export function intakeSettings<E>(
  options: IntakeOptions<E>,
  maker: string,
  own: readonly string[] = [],
): IntakeSettings<E> {
  if (typeof options !== 'object' || options === null)
    throw new TidemarkError('INVALID_OPTION', `${maker}: ${shorten(options)} is no object of options.`);
  checkKnown(options, [...Object.keys(KNOWN), ...own], maker);
  const { fallback, report, logger } = options;
  if (fallback !== false && typeof fallback?.invalidate !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `${maker}: fallback: ${shorten(fallback)} is no cache. Give the cache whose entries are covered when an event has to be given up, or false if stale values are bearable then.`,
    );
  if (report !== undefined && typeof report !== 'function')
    throw new TidemarkError('INVALID_OPTION', `${maker}: report: ${shorten(report)} is no function.`);
  if (report === undefined && logger === undefined)
    throw new TidemarkError(
      'INVALID_OPTION',
      `${maker}: neither logger nor report is given, so that an event which has to be given up would go unnoticed. Give one of them.`,
    );
  return {
    fallback: fallback === false ? undefined : fallback,
    report,
    logger,
    retries: wholeNumber(options.retries ?? 3, 'retries', 0),
    timeout: milliseconds(options.timeout ?? '30s', 'timeout'),
    maxQueue: wholeNumber(options.maxQueue ?? 10_000, 'maxQueue'),
    maxParked: wholeNumber(options.maxParked ?? 1_000, 'maxParked'),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom(),
  };
}

/** @throws TidemarkError `INVALID_OPTION` */
export function checkHandler(handler: EventHandler<never>, maker: string): void {
  if (typeof handler === 'object' && handler !== null && typeof handler.handle === 'function') return;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${maker}: ${shorten(handler)} has no handle(event). Give rules, made by createRules().`,
  );
}
