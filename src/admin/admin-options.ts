import { wholeNumber } from '../cache/log-access.ts';
import { type Size, bytes } from '../cache/size.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../index.ts';
import { type Access, accessRule } from './access.ts';
import type { PrometheusText } from './admin-parts.ts';
import type { AuditEntry } from './audit.ts';
import type { Caller, Peer } from './caller.ts';
import type { BodyLimits } from './request-body.ts';

/** Options of `createAdmin`. Only `access` is required. */
export interface AdminOptions {
  /**
   * Who may use the API: tokens, sent as `Authorization: Bearer ...`, for readers and for operators; or a function that says who a
   * request is from.
   */
  readonly access: Access;
  /** What every path begins with, such as `/ops`, where no framework takes that off; default nothing. */
  readonly base?: string;
  /** What `GET /metrics` answers; without it there is none. */
  readonly prometheus?: () => PrometheusText | Promise<PrometheusText>;
  /** Whether cached values may be shown, of all keys or of some; default false. */
  readonly values?: boolean | ((key: string) => boolean);
  /** Origins whose pages may use the API from a browser, such as `https://ops.example.com`; default none. */
  readonly origins?: readonly string[];
  /** Requests a minute of one caller, default 600; and from one address those that nobody is admitted for, default 30. `false`: no limit. */
  readonly rate?: { readonly requests?: number; readonly failures?: number } | false;
  /** The longest body; default `'64kb'`. */
  readonly bodyLimit?: Size;
  /** How long a body may take to arrive; default `'10s'`. */
  readonly bodyTimeout?: Duration;
  /** Clients that may listen to the live stream at once; default 1,000. */
  readonly streams?: number;
  /** Told of every change by hand, also of those that are refused; there is a line `cache_admin` in the log as well. */
  readonly onAudit?: (entry: AuditEntry) => void;
  /** Default: that of the cache. */
  readonly logger?: Logger;
  /** Where a request comes from, behind a proxy that says so: `(request) => request.headers.get('x-real-ip')`. Default: the connection. */
  readonly address?: (request: Request) => string | null | undefined;
}

/** {@link AdminOptions}, checked and complete. */
export interface AdminSettings {
  readonly prometheus: AdminOptions['prometheus'] | undefined;
  readonly onAudit: AdminOptions['onAudit'] | undefined;
  readonly logger: Logger | undefined;
  readonly address: AdminOptions['address'] | undefined;
  readonly authenticate: (request: Request, peer: Peer) => Promise<Caller | undefined>;
  readonly base: string;
  readonly showsValue: (key: string) => boolean;
  readonly origins: readonly string[];
  readonly requestsPerMinute: number;
  readonly failuresPerMinute: number;
  readonly body: BodyLimits;
  readonly streams: number;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof AdminOptions, true> = {
  access: true,
  base: true,
  prometheus: true,
  values: true,
  origins: true,
  rate: true,
  bodyLimit: true,
  bodyTimeout: true,
  streams: true,
  onAudit: true,
  logger: true,
  address: true,
};

/** @throws TidemarkError `INVALID_OPTION` */
export function adminSettings(options: AdminOptions): AdminSettings {
  checkKnown(options ?? {}, Object.keys(KNOWN), 'createAdmin');
  const authenticate = accessRule(options?.access);
  const { base = '', values = false, origins = [], rate = {}, prometheus, onAudit, logger, address } = options;
  for (const [name, given] of Object.entries({ prometheus, onAudit, address }))
    if (given !== undefined && typeof given !== 'function') throw invalid(name, given, 'a function');
  const { requests, failures } =
    rate === false
      ? { requests: Number.POSITIVE_INFINITY, failures: Number.POSITIVE_INFINITY }
      : {
          requests: wholeNumber(rate.requests ?? 600, 'rate.requests'),
          failures: wholeNumber(rate.failures ?? 30, 'rate.failures'),
        };
  return {
    ...{ prometheus, onAudit, logger, address, authenticate },
    base: checkBase(base),
    showsValue: valueRule(values),
    origins: origins.map(checkOrigin),
    ...{ requestsPerMinute: requests, failuresPerMinute: failures },
    body: {
      most: bytes(options.bodyLimit ?? '64kb', 'bodyLimit'),
      patience: milliseconds(options.bodyTimeout ?? '10s', 'bodyTimeout'),
    },
    streams: wholeNumber(options.streams ?? 1_000, 'streams', 0),
  };
}

function checkBase(base: string): string {
  if (typeof base === 'string' && /^(\/[\w.~-]+)*$/.test(base)) return base;
  throw invalid('base', base, "a path such as '/ops', without a slash at its end");
}

/** As browsers write it: scheme, host and port. */
function checkOrigin(origin: string): string {
  if (typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw invalid('origins', origin, "an origin. Give scheme, host and port alone, such as 'https://ops.example.com'");
}

function valueRule(values: boolean | ((key: string) => boolean)): (key: string) => boolean {
  if (typeof values === 'function') return values;
  if (typeof values === 'boolean') return () => values;
  throw invalid('values', values, 'true, false or a function of a key');
}

function invalid(option: string, value: unknown, cure: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not ${cure}.`);
}
