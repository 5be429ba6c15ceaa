import type { FastifyReply, FastifyRequest } from 'fastify';

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

/** What Fastify refuses before a route sees it, with the cure that it does not mention. */
const cures: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send the header content-type: application/json.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'Send the body as one JSON object, such as {"branchId": "B123", ...}.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'Send one change per request.',
};

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

/** Fastify's error handler: every failure as `{ error, message, field?, cure? }`, and no detail of our own failures. */
export async function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const problem = asProblem(error);
  if (problem.statusCode >= 500) request.log.error({ err: error }, 'request failed');
  if (problem.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  const { code, message, field, cure } = problem;
  await reply.code(problem.statusCode).send({ error: code, message, field, cure });
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const {
    statusCode = 500,
    code = '',
    message = '',
  } = error as { statusCode?: number; code?: string; message?: string };
  if (unreachable.has(code)) {
    return new Problem(503, 'unavailable', 'The database does not answer.', { cure: 'Try again in a moment.' });
  }
  if (statusCode >= 500) return new Problem(500, 'internal', 'The service failed. The cause is in its log.');
  const cure = cures[code];
  return new Problem(statusCode, 'bad_request', message, { field: 'body', ...(cure && { cure }) });
}
