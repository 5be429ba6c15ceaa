import { shorten, TidemarkError } from '../coherence/errors.ts';
import {
  type HttpRequest,
  type HttpResponse,
  type HttpSessionOptions,
  httpSessions,
  type Sessions,
} from './http-session.ts';
import type { Session } from './session.ts';

type Hook = (request: WithRaw<HttpRequest>, reply: WithRaw<HttpResponse>, done: () => void) => void;

/** Of Fastify's requests and replies, the part that is needed: those of Node's server below them. */
interface WithRaw<T> {
  readonly raw: T;
}

/** The part of Fastify that is needed. */
interface Hooked {
  addHook(name: 'onRequest' | 'preValidation', hook: Hook): unknown;
}

/** The part of Express that is needed, which others have too. */
interface Piped {
  use(middleware: (request: HttpRequest, response: HttpResponse, next: () => void) => void): unknown;
}

/**
 * Has each request of an application be a session, see {@link httpSessions}: of Fastify, of Express, or of what is made like them.
 * Call it before the routes are there.
 *
 * @param app has `addHook`, or `use`
 * @param options their request is the application's own
 * @throws TidemarkError `INVALID_OPTION`
 * @example beginSessions(express(), cache);
 */
export function beginSessions<R = HttpRequest>(
  app: object,
  cache: Sessions,
  options: HttpSessionOptions<R> = {},
): void {
  const { addHook, use } = Object(app) as Partial<Hooked & Piped>;
  if (typeof addHook === 'function') return beginOnHooks(app as Hooked, cache, options as HttpSessionOptions);
  const begin = httpSessions(cache, options);
  if (typeof use !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `beginSessions: ${shorten(app)} has neither addHook() nor use(). Give the application of Fastify or Express; on Node's own server use httpSessions.`,
    );
  (app as Piped).use((request, response, next) => begin(request, response).run(() => next()));
}

function beginOnHooks(app: Hooked, cache: Sessions, options: HttpSessionOptions): void {
  const begin = httpSessions<unknown>(cache, options);
  const sessions = new WeakMap<object, Session>();
  app.addHook('onRequest', (request, reply, done) => {
    const session = begin(request.raw, reply.raw, request);
    sessions.set(request, session);
    session.run(done);
  });
  // A hook in between may call back from elsewhere, as from a connection that requests share.
  app.addHook('preValidation', (request, _reply, done) => (sessions.get(request) as Session).run(done));
}
