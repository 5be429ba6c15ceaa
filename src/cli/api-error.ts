import type { Transport } from './transport.ts';
import { UsageError } from './usage-error.ts';

/** What an API answers that refuses. */
interface Refusal {
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** A request that was refused, in words that say what to do about it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** What the API itself has said. */
  readonly said: string;
  /** Seconds after which it may be asked again, where it was asked too often. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { status, headers }: Response, said: string) {
    super(message);
    this.status = status;
    this.said = said;
    const seconds = Number(headers.get('retry-after'));
    this.retryAfter = status === 429 ? Math.max(1, Number.isFinite(seconds) ? seconds : 1) : undefined;
  }

  /** Whether the API is there, and has no such thing. */
  get isAbsent(): boolean {
    return this.status === 404 || this.status === 501;
  }
}

/** @param role what the route needs */
export async function refusal(response: Response, { where }: Transport, path: string, role: string): Promise<Error> {
  const { error } = await read(response);
  // Such as a key that is none.
  if (response.status === 400 && error?.message !== undefined) return new UsageError(error.message);
  const said = error?.message ?? `it answered ${response.status}`;
  return new ApiError(message(response, said, { where, path, role }), response, said);
}

function message(
  { status, headers }: Response,
  said: string,
  { where, path, role }: { where: string; path: string; role: string },
): string {
  switch (status) {
    case 401:
      return `${where} does not know this token. Give a token of the role ${role} by TIDEMARK_TOKEN or --token.`;
    case 403:
      return `${where} refuses this: it needs a token of the role ${role}, and yours is of another. Give one by TIDEMARK_TOKEN or --token.`;
    case 404:
      return `${where}: ${path} is not there (${said}). Give --url with the path that the API is mounted at, such as http://localhost:3000/ops.`;
    case 429:
      return `${where} has had too many requests. Try again in ${headers.get('retry-after') ?? 'some'} seconds.`;
    default:
      return `${where}: ${said}`;
  }
}

async function read(response: Response): Promise<Refusal> {
  try {
    return (await response.json()) as Refusal;
  } catch {
    return {};
  }
}

/** Why no answer came at all. */
export function unreachable(cause: unknown, { where, fleet }: Transport, ms: number): Error {
  if ((cause as Error | undefined)?.name === 'TimeoutError')
    return new Error(
      `${where} has not answered in ${ms / 1_000} s. Look after it, or give it longer by --timeout 30s.`,
      {
        cause,
      },
    );
  if (fleet) return cause instanceof Error ? cause : new Error(String(cause));
  const reason = reasonOf(cause);
  return new Error(
    `No API answers at ${where} (${reason}). Start one by "tidemark serve", give its address by --url or TIDEMARK_URL, or read the fleet itself by --redis and --name.`,
    { cause },
  );
}

/** `fetch` hides why it failed in causes. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = (error ?? {}) as { cause?: unknown; code?: string; message?: string };
  if (cause !== undefined) return reasonOf(cause);
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  if (first !== undefined) return reasonOf(first);
  return code ?? (message === undefined || message === '' ? 'no reason given' : message);
}
