import { TidemarkError } from 'tidemark';

export type ProblemType =
  | 'bad-request'
  | 'not-found'
  | 'slot-taken'
  | 'outside-working-hours'
  | 'busy'
  | 'cancelled'
  | 'calendar-unavailable'
  | 'internal';

/** An answer other than success, as RFC 9457 has it. Thrown anywhere below a route. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly type: ProblemType;
  /** What the client can do about it. */
  readonly cure: string | undefined;

  constructor(status: number, type: ProblemType, detail: string, more: { cure?: string; cause?: unknown } = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = status;
    this.type = type;
    this.cure = more.cure;
  }

  /** The body, of type `application/problem+json`. */
  body(): object {
    const { status, type, message, cure } = this;
    return { type: `urn:booking:${type}`, title: titles[type], status, detail: message, ...(cure && { cure }) };
  }
}

const titles: Record<ProblemType, string> = {
  'bad-request': 'The request cannot be understood',
  'not-found': 'There is no such thing',
  'slot-taken': 'The time is taken',
  'outside-working-hours': 'Nobody works then',
  busy: 'The appointment is being changed',
  cancelled: 'The appointment is cancelled',
  'calendar-unavailable': 'The calendar does not answer',
  internal: 'The service failed',
};

/** Whatever was thrown, as a problem; of our own failures no detail. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TidemarkError && error.code === 'INVALID_TOKEN')
    return new Problem(400, 'bad-request', error.message);
  const { statusCode = 500, message = '' } = error as { statusCode?: number; message?: string };
  if (statusCode === 404) return new Problem(404, 'not-found', message);
  if (statusCode < 500) return new Problem(statusCode, 'bad-request', message);
  return new Problem(500, 'internal', 'The cause is in the log of the service.', { cause: error });
}
