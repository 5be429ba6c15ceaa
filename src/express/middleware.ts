import type { Request, RequestHandler } from 'express';
import { type Cache, type HttpSessionOptions, httpSessions } from '../index.ts';

declare global {
  namespace Express {
    interface Request {
      /** The cache of `tidemark/express`. */
      cache: Cache;
    }
  }
}

/** Options of {@link tidemark}. */
export interface TidemarkOptions extends HttpSessionOptions<Request> {
  /** It stays yours to close: Express tells nobody when it ends. */
  readonly cache: Cache;
}

/**
 * Express middleware: the cache as `req.cache`, and each request in a session, so that a client that hands back the header
 * `tidemark-position` reads its own writes on any instance. Put it before the routes.
 *
 * @throws TidemarkError `INVALID_OPTION`
 * @example app.use(tidemark({ cache }));
 */
export function tidemark(given: TidemarkOptions): RequestHandler {
  // What is no object at all is refused as one without a cache.
  const { cache, ...options } = Object(given) as TidemarkOptions;
  const begin = httpSessions(cache, options);
  return (request, response, next) => {
    request.cache = cache;
    begin(request, response, request).run(() => next());
  };
}
