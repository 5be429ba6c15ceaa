/** An answer other than success. Thrown anywhere below a route; the client gets it as JSON with this status. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly statusCode: number;
  readonly code: string;
  /** What in the request is at fault, where that is one thing. */
  readonly field: string | undefined;
  /** What to do about it. */
  readonly cure: string | undefined;

  constructor(statusCode: number, code: string, message: string, details: { field?: string; cure?: string } = {}) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
    this.field = details.field;
    this.cure = details.cure;
  }
}

/** The database cannot be reached. What is cached is still answered; the rest is asked for again later. */
const unreachable = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
]);

/** A failure as the client is told of it: no detail of our own failures. `undefined` for what a framework has refused. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const { statusCode = 500, code = '' } = error as { statusCode?: number; code?: string };
  if (unreachable.has(code)) {
    return new Problem(503, 'unavailable', 'The database does not answer.', { cure: 'Try again in a moment.' });
  }
  if (statusCode < 500) return undefined;
  return new Problem(500, 'internal', 'The service failed. The cause is in its log.');
}

/** What is wrong with a body that could not be read, by the status that it is refused with. */
const bodyCures: Record<number, string> = {
  400: 'Send the body as one JSON object, such as {"branchId": "B123", ...}.',
  413: 'Send one change per request.',
  415: 'Send the header content-type: application/json.',
};

/** What a framework has refused before a route saw it, with the cure that it does not mention. */
export function unreadable(statusCode: number, message: string): Problem {
  const cure = bodyCures[statusCode];
  return new Problem(statusCode, 'bad_request', message, { field: 'body', ...(cure !== undefined && { cure }) });
}

export function noSuchRoute(method: string, url: string): Problem {
  const cure = 'The README of this example lists the routes.';
  return new Problem(404, 'not_found', `There is no ${method} ${url.slice(0, 100)}.`, { cure });
}
