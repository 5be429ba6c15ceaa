import { createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from './problem.ts';

/**
 * Who may call. A token names its organisation and proves it with a signature, so that the same secret gives the same
 * tokens at every start, and nothing has to be stored.
 */
export class Tenants {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The bearer token of an organisation. */
  token(orgId: string): string {
    return `${orgId}.${createHmac('sha256', this.#secret).update(orgId).digest('base64url')}`;
  }

  /**
   * The organisation that an Authorization header speaks for.
   *
   * @throws Problem 401 when there is no token, or it was not issued here
   */
  organisation(authorization: string | undefined): string {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) {
      const cure = 'Send the header authorization: Bearer <token>. The service prints the tokens when it starts.';
      throw new Problem(401, 'unauthenticated', 'The request has no bearer token.', { field: 'authorization', cure });
    }
    const orgId = given.slice(0, Math.max(0, given.lastIndexOf('.')));
    if (!equal(given, this.token(orgId))) {
      const cure = 'Copy the token again from what the service printed when it started.';
      throw new Problem(401, 'unauthenticated', 'The bearer token is not valid.', { field: 'authorization', cure });
    }
    return orgId;
  }
}

/** Compares without telling by its duration how much was right. */
function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
