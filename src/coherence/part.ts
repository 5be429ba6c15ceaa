import type { Clock } from './clock.ts';
import type { LogOptions } from './log.ts';
import type { Logger } from './logger.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a cache hands to the parts it is built from. */
export interface PartContext {
  /** The cache's name, with its prefix: what namespaces keys on a server. */
  readonly name: string;
  readonly clock: Clock;
  /** The time that proofs of freshness are dated with. */
  readonly stopwatch: Stopwatch;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger | undefined;
  /** What the cache was configured with: a log that does not exist yet is created with these. */
  readonly logOptions: LogOptions;
}

/** A part, or a function that makes it for one cache. */
export type Part<T> = T | ((context: PartContext) => T);
