import { shorten } from '../coherence/errors.ts';
import { Refusal } from './refusal.ts';

/**
 * What pages in browsers may do: nothing, but those of the origins that are listed, and those that come from here.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export class OriginRule {
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** What a browser asks before it sends a request of another origin's page; `undefined` for any other request. */
  preflight(request: Request): Response | undefined {
    if (request.method !== 'OPTIONS' || !this.#allows(request)) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': '600',
      },
    });
  }

  /** For whichever answer: whether the page that asked may see it. */
  headers(request: Request): Readonly<Record<string, string>> {
    if (this.#allowed.size === 0) return {};
    if (!this.#allows(request)) return { vary: 'origin' };
    return {
      vary: 'origin',
      'access-control-allow-origin': request.headers.get('origin') as string,
      'access-control-expose-headers': 'retry-after',
    };
  }

  /**
   * A change that another site's page has sent on behalf of whoever looks at it: an access function may know them by a cookie.
   *
   * @throws Refusal 403
   */
  checkChange(request: Request): void {
    const { headers } = request;
    const origin = headers.get('origin');
    if (origin === null) {
      if (headers.get('sec-fetch-site') !== 'cross-site') return;
    } else if (this.#allows(request) || isOwn(origin, headers.get('host'))) return;
    throw new Refusal(403, 'FORBIDDEN', `Pages of ${shorten(origin ?? 'other sites')} may change nothing here.`);
  }

  #allows(request: Request): boolean {
    return this.#allowed.has(request.headers.get('origin') ?? '');
  }
}

/** The scheme is not compared: what ends the encryption in front of this does not always say that it has. */
function isOwn(origin: string, host: string | null): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
