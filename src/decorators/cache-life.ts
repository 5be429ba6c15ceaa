import type { Cache } from '../cache/cache.ts';
import type { HttpSessionOptions } from '../cache/http-session.ts';
import { beginSessions } from '../cache/request-sessions.ts';
import type { Duration } from '../coherence/duration.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Connection, DomainEvent } from '../events/index.ts';
import { DecoratedClasses } from './decorated-classes.ts';
import { connectRules } from './event-rules.ts';

/** What {@link CacheLife} goes by. */
export interface LifeOptions {
  /** What decorators call the cache, where there are several. */
  readonly as: string | undefined;
  readonly logger: Logger;
  /** Whether the cache ends with the application. */
  readonly owned: boolean;
  readonly drain: Duration;
  /** Tokens of what `@InvalidatesOn` listens on. */
  readonly events: readonly unknown[];
  readonly sessions: HttpSessionOptions<never> | false;
}

/** How what a container has is looked at. `F`: one entry of it. */
export interface Finding<F> {
  /** Whether an instance stays, or is made anew for each request or user. */
  lasts(found: F): boolean;
  /** The instance that a token stands for. */
  resolve(token: unknown): unknown;
}

/**
 * The cache of an application from its start to its end: what the glue of a framework with a container calls from its hooks.
 *
 * @example
 * const plan = new CachePlan({ name: 'shop', events: [emitter] }, undefined, logger);
 * const cache = plan.makeCache();              // what the container has under cacheToken()
 * const life = plan.life(cache);
 * life.beginSessions(app);                     // before the routes are there
 * await life.start(found, { lasts, resolve }); // when all instances are there
 * await life.end();                            // after the last request was answered
 */
export class CacheLife {
  readonly #cache: Cache;
  readonly #options: LifeOptions;
  #connections: readonly Connection<DomainEvent>[] = [];

  constructor(cache: Cache, options: LifeOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  /**
   * Has each request of an application be a session, unless the options say otherwise.
   *
   * @param app of Express, of Fastify, or made like them
   * @throws TidemarkError `INVALID_OPTION`
   */
  beginSessions(app: object): void {
    const { sessions } = this.#options;
    if (sessions !== false) beginSessions(app, this.#cache, sessions);
  }

  /**
   * Gives decorated instances the cache where their container has not, makes their queries, and has their rules hear of events.
   *
   * @param found all that the container has: of what is made anew, its shape; what is no object is passed over
   * @throws TidemarkError `INVALID_OPTION` or `INVALID_QUERY` for what is wrong with a decorated class or with `events`; it has ended then
   */
  async start<F extends { readonly instance: unknown }>(found: readonly F[], finding: Finding<F>): Promise<void> {
    const { as, logger, events } = this.#options;
    const objects = found.filter(hasInstance);
    try {
      const classes = new DecoratedClasses(
        objects.map((it) => ({ instance: it.instance, lasting: finding.lasts(it) })),
        as,
      );
      classes.checkInjected();
      classes.prepare(this.#cache, logger);
      const sources = events.map((token) => finding.resolve(token));
      this.#connections = connectRules(this.#cache, classes.eventRules, sources, logger);
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** The events and invalidations that wait are done, for at most `drain` each; a cache that was made for the application is closed. */
  async end(): Promise<void> {
    const { drain, owned } = this.#options;
    await Promise.all(this.#connections.map((it) => it.close({ drain })));
    if (owned) await this.#cache.close({ drain });
  }
}

function hasInstance<F extends { readonly instance: unknown }>(found: F): found is F & { readonly instance: object } {
  return typeof found.instance === 'object' && found.instance !== null;
}
