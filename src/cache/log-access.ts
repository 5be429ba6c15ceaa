import { systemClock, systemRandom } from './system-clock.ts';
import type { Clock } from '../coherence/clock.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKey } from '../coherence/key.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import { type LogSettings, logOptions } from '../coherence/log-options.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Part, PartContext } from '../coherence/part.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';

/** What publishers and subscribers reach their log by. `redis()` may be spread into it: of its parts only the log is used. */
export interface LogAccessOptions extends Pick<LogSettings, 'maxLag' | 'maxLife' | 'slots' | 'hashes'> {
  /** The name of the log: all that share it hear of one another, caches of that name included. */
  readonly name: string;
  /** Put before `name`, so that environments can share servers. */
  readonly prefix?: string;
  readonly log: Part<InvalidationLog>;
  /** A pino logger, or anything with its `debug`, `info`, `warn` and `error`. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Numbers in [0, 1), for ids, epochs and pauses; default: the system's. */
  readonly random?: () => number;
  /** Parts of a cache that come with the log, and are not used. */
  readonly store?: unknown;
  readonly lease?: unknown;
  readonly check?: unknown;
  readonly presence?: unknown;
  readonly places?: unknown;
  readonly breakers?: unknown;
  readonly reports?: unknown;
  readonly diagnostics?: unknown;
}

/** A log that was opened, and what goes with it. */
export interface LogAccess {
  readonly context: PartContext;
  readonly log: InvalidationLog;
  /** Ends the log if it was made here; one that was handed in belongs to whoever made it. */
  close(): Promise<void>;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof LogAccessOptions, true> = {
  name: true,
  prefix: true,
  log: true,
  maxLag: true,
  maxLife: true,
  slots: true,
  hashes: true,
  logger: true,
  clock: true,
  random: true,
  store: true,
  lease: true,
  check: true,
  presence: true,
  places: true,
  breakers: true,
  reports: true,
  diagnostics: true,
};

/**
 * Checks what concerns the log, and that no option is there which nobody reads. Makes nothing.
 *
 * @param maker whose options they are, for messages
 * @param own the options that only the maker knows
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY`, naming the option and the cure
 */
export function checkLogAccess(options: LogAccessOptions, maker: string, own: readonly string[]): PartContext {
  if (typeof options !== 'object' || options === null || typeof options.name !== 'string' || options.name === '')
    throw new TidemarkError(
      'INVALID_OPTION',
      `name: ${shorten(options?.name)} is not a name. Give the name of the log: ${maker}({ name: 'shop', ...redis({ url }) }).`,
    );
  checkKnown(options, [...Object.keys(KNOWN), ...own], maker);
  if (typeof options.log !== 'function' && (typeof options.log !== 'object' || options.log === null))
    throw new TidemarkError(
      'INVALID_OPTION',
      `log: ${shorten(options.log)} is no log. Spread redis({ url }) into the options, or give memoryLog().`,
    );
  const clock = options.clock ?? systemClock;
  return {
    name: checkKey(options.prefix === undefined ? options.name : `${options.prefix}:${options.name}`),
    clock,
    stopwatch: new Stopwatch(clock),
    random: options.random ?? systemRandom(),
    logger: options.logger,
    logOptions: logOptions(options),
  };
}

/** Opens the log of options that were checked. */
export function openLog({ log }: LogAccessOptions, context: PartContext): LogAccess {
  if (typeof log !== 'function') return { context, log, close: () => Promise.resolve() };
  const made = log(context);
  return { context, log: made, close: () => made.close() };
}

/** @throws TidemarkError `INVALID_OPTION` unless it is a whole number of at least `least` */
export function wholeNumber(value: number, option: string, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not a whole number from ${least} on.`);
}
