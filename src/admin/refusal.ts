import { TidemarkError } from '../coherence/errors.ts';

/** What programs tell refusals apart by, beside the codes of `TidemarkError`. */
export type RefusalCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'NOT_AVAILABLE'
  | 'METHOD_NOT_ALLOWED'
  | 'INVALID_REQUEST'
  | 'TIMEOUT'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_TYPE'
  | 'TOO_MANY_REQUESTS'
  | 'INTERNAL'
  | 'UNAVAILABLE';

/** Why a request is not answered as its sender hoped. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message what is wrong, and the cure */
  constructor(
    status: number,
    code: RefusalCode | TidemarkError['code'],
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  response(): Response {
    const { code, message } = this;
    return Response.json({ error: { code, message } }, { status: this.status, headers: this.headers });
  }
}

/** @returns `undefined` for an error whose text is for logs alone: it may hold addresses, or values */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!(error instanceof TidemarkError)) return undefined;
  if (error.code.startsWith('INVALID_')) return new Refusal(400, error.code, error.message);
  if (error.code === 'CLOSED') return new Refusal(503, 'CLOSED', 'The cache is closed. Ask another instance.');
  return undefined;
}
