import type { FastifyInstance, FastifyRequest } from 'fastify';
import { beginSessions, type Cache, type CacheOptions, createCache, type HttpSessionOptions } from '../index.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The cache of `tidemark/fastify`. */
    readonly tidemark: Cache;
  }
  interface FastifyRequest {
    /** The cache of `tidemark/fastify`. */
    readonly cache: Cache;
  }
}

/** Options of {@link tidemark}. */
export interface TidemarkOptions extends HttpSessionOptions<FastifyRequest> {
  /** A cache, which stays yours to close; or the options of one, which ends with the application. */
  readonly cache: Cache | CacheOptions;
}

/**
 * A Fastify plugin: the cache as `app.tidemark` and `request.cache`, and each request in a session, so that a client that hands
 * back the header `tidemark-position` reads its own writes on any instance.
 *
 * @throws TidemarkError `INVALID_OPTION`
 * @example await app.register(tidemark, { cache: { name: 'shop', ...redis({ url }) } });
 */
export const tidemark: (app: FastifyInstance, options: TidemarkOptions) => Promise<void> = Object.assign(
  async (app: FastifyInstance, { cache: given, ...options }: TidemarkOptions): Promise<void> => {
    // What is no object at all is refused below.
    const made = Object(given) !== given || 'openSession' in given ? undefined : createCache(given);
    if (made !== undefined) app.addHook('onClose', async () => void (await made.close()));
    const cache = made ?? (given as Cache);
    beginSessions(app, cache, options);
    app.decorate('tidemark', cache);
    app.decorateRequest('cache', { getter: () => cache });
  },
  // For the whole application, not for a part of it: what Fastify itself looks for.
  { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'tidemark' },
);
