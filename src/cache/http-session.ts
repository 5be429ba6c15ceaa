import type { IncomingMessage, ServerResponse } from 'node:http';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Token } from '../coherence/position.ts';
import type { Session } from './session.ts';

/** The header that a client's token comes in by, and is handed back in. */
export const SESSION_HEADER = 'tidemark-position';

/** Options of {@link httpSessions}. `R`: the framework's request. */
export interface HttpSessionOptions<R = unknown> {
  /** Its own where several caches take part in one request; default `SESSION_HEADER`. */
  readonly header?: string;
  /** Whether the token that came with a request is heeded; default always. Whoever invents tokens makes this service load. */
  readonly trust?: (request: R) => boolean;
}

/** What it needs of a request: that of Node's server, or what is made like it. */
export type HttpRequest = Pick<IncomingMessage, 'headers'>;

/** What it needs of an answer. */
export type HttpResponse = Pick<ServerResponse, 'setHeader' | 'writeHead'>;

/** A cache, as far as it begins sessions. */
export interface Sessions {
  openSession(token?: Token): Session;
}

const OPTIONS: readonly (keyof HttpSessionOptions)[] = ['header', 'trust'];

/** What HTTP allows for a name (RFC 9110, section 5.6.2). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Sessions over HTTP, for any framework on Node's server: what came in the header begins the session of a request, and its token
 * goes out with the head of the answer, whoever sends that and however it has ended. What is invalidated after the head was sent
 * is in no header: the client may be given something older elsewhere, for as long as a node may be behind.
 *
 * @returns begins the session of one request; run the rest of it inside
 * @throws TidemarkError `INVALID_OPTION`
 * @example
 * const begin = httpSessions(cache);
 * createServer((request, response) => begin(request, response).run(() => handle(request, response)));
 */
export function httpSessions<R = HttpRequest>(
  cache: Sessions,
  options: HttpSessionOptions<R> = {},
): (request: HttpRequest, response: HttpResponse, asked?: R) => Session {
  checkKnown(options, OPTIONS, 'httpSessions');
  const { header = SESSION_HEADER, trust } = options;
  if (typeof (cache as Partial<Sessions> | undefined)?.openSession !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `cache: ${shorten(cache)} is no cache. Give what createCache() returned.`,
    );
  if (typeof header !== 'string' || !NAME.test(header))
    throw new TidemarkError(
      'INVALID_OPTION',
      `header: ${shorten(header)} is no name of a header. Leave it out for ${SESSION_HEADER}.`,
    );
  if (trust !== undefined && typeof trust !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `trust: ${shorten(trust)} is no function. Write trust: (request) => isOurs(request), or leave it out.`,
    );
  const name = header.toLowerCase();
  return (request, response, asked = request as R) => {
    const sent = trust === undefined || trust(asked) ? request.headers[name] : undefined;
    // Node joins what comes several times by a comma, which is what stands between the tokens of a session.
    const session = cache.openSession(Array.isArray(sent) ? sent.join() : sent);
    sendWithHead(response, name, session);
    return session;
  };
}

/** Every way of answering ends in `writeHead`, called by Node itself where nobody else does. */
function sendWithHead(response: HttpResponse, name: string, session: Session): void {
  const { writeHead } = response;
  response.writeHead = function (this: HttpResponse, ...head: unknown[]) {
    const { token } = session;
    if (token !== undefined) response.setHeader(name, token);
    return Reflect.apply(writeHead, response, head) as ReturnType<HttpResponse['writeHead']>;
  };
}
