import { type Cache, createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import type { HttpSessionOptions } from '../cache/http-session.ts';
import type { Duration } from '../coherence/duration.ts';
import type { Logger } from '../coherence/logger.ts';
import { CacheLife } from './cache-life.ts';

/** A cache to make, which ends with the application, or one that is there, which does not. `T`: a token of the application's container. */
export type PlanSettings<T = unknown> = (CacheOptions | { readonly cache: Cache }) & {
  /** For so long the application's end waits for invalidations that were not sent yet; default `'1s'`. */
  readonly drain?: Duration;
  /** What `@InvalidatesOn` listens on: tokens of instances with `on` and `off`, or `subscribe`. In NestJS `[EventEmitter2]`, `[EventBus]`. */
  readonly events?: readonly T[];
  /**
   * Each HTTP request is a session, so that a client that hands back the header `tidemark-position` reads its own writes on any
   * instance. Default `{}` for the cache that has no `as`, and `false` for the others, which would need the same header.
   */
  readonly sessions?: HttpSessionOptions<never> | false;
};

/** What an application has said of one of its caches. */
export class CachePlan {
  readonly #settings: PlanSettings;
  readonly #as: string | undefined;
  readonly #logger: Logger;

  /**
   * @param as what decorators call the cache, where there are several
   * @param logger the application's own
   */
  constructor(settings: PlanSettings, as: string | undefined, logger: Logger) {
    this.#settings = settings;
    this.#as = as;
    this.#logger = logger;
  }

  /**
   * For containers that call a factory with what it needs.
   *
   * @param settings asked for once for each plan
   * @returns makes the plan, from the same arguments
   */
  static from<A extends never[]>(
    settings: (...args: A) => PlanSettings | Promise<PlanSettings>,
    as: string | undefined,
    logger: Logger,
  ): (...args: A) => Promise<CachePlan> {
    return async (...args) => new CachePlan(await settings(...args), as, logger);
  }

  /**
   * The cache that is there, or a new one, which writes to the application's log unless it has a `logger`.
   *
   * @throws TidemarkError `INVALID_OPTION`
   */
  makeCache(): Cache {
    if ('cache' in this.#settings) return this.#settings.cache;
    const { drain: _drain, events: _events, sessions: _sessions, ...options } = this.#settings;
    return createCache({ logger: this.#logger, ...options });
  }

  /** @param cache the one that was made, or what a test has put in its place */
  life(cache: Cache): CacheLife {
    const { drain = '1s', events = [], sessions = this.#as === undefined ? {} : false } = this.#settings;
    const owned = !('cache' in this.#settings);
    return new CacheLife(cache, { as: this.#as, logger: this.#logger, owned, drain, events, sessions });
  }
}
