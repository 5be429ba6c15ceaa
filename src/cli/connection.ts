import { milliseconds, type Duration } from '../coherence/duration.ts';
import { Api } from './api.ts';
import { fleetTransport } from './fleet-transport.ts';
import { httpTransport, type Transport } from './transport.ts';
import { UsageError } from './usage-error.ts';

/** Flags of every command that asks an API. */
export const connectionArgs = {
  url: { type: 'string', description: 'address of the HTTP API; else TIDEMARK_URL', valueHint: 'address' },
  token: {
    type: 'string',
    description: 'for the HTTP API; better in TIDEMARK_TOKEN, which no list of processes shows',
  },
  redis: {
    type: 'string',
    description: "reads the fleet's own keys instead; else TIDEMARK_REDIS",
    valueHint: 'address',
  },
  name: { type: 'string', description: "the cache's name, with --redis; else TIDEMARK_NAME", valueHint: 'name' },
  timeout: { type: 'string', description: 'longest wait for an answer', valueHint: 'time', default: '5s' },
  json: { type: 'boolean', description: 'JSON for scripts, as the API answers it' },
} as const;

export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly redis?: string | undefined;
  readonly name?: string | undefined;
  readonly timeout: string;
}

/**
 * Runs `work` with the API that the flags, or else the environment, name.
 *
 * @throws UsageError where none is named, or two are
 */
export async function withApi<T>(flags: ConnectionFlags, work: (api: Api) => Promise<T>): Promise<T> {
  const timeout = timeoutOf(flags.timeout);
  const api = new Api(await transport(flags, timeout), timeout);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

function timeoutOf(text: string): number {
  const ms = milliseconds((/^\d+$/.test(text) ? Number(text) : text) as Duration, '--timeout');
  // What timers can wait.
  if (ms > 0 && ms < 2 ** 31) return ms;
  throw new UsageError(`--timeout ${text}: give a time such as 5s or 2m.`);
}

function transport(flags: ConnectionFlags, timeout: number): Promise<Transport> {
  const { env } = process;
  if (flags.url !== undefined && flags.redis !== undefined)
    throw new UsageError('--url and --redis are two ways to the same: give one of them.');
  // What is typed counts before what is set.
  const redis = flags.redis ?? (flags.url === undefined && !env['TIDEMARK_URL'] ? env['TIDEMARK_REDIS'] : undefined);
  if (redis) return fleetTransport(redis, flags.name ?? env['TIDEMARK_NAME'], timeout);
  const url = flags.url ?? env['TIDEMARK_URL'];
  if (!url)
    throw new UsageError(
      'Which cache? Give --url (or TIDEMARK_URL) of its HTTP API, or --redis (or TIDEMARK_REDIS) and --name of its fleet.',
    );
  if (flags.name !== undefined) throw new UsageError('--name goes with --redis: an HTTP API is of one cache.');
  return Promise.resolve(httpTransport(addressOf(url), flags.token ?? (env['TIDEMARK_TOKEN'] || undefined)));
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address !== undefined && /^https?:$/.test(address.protocol)) return address;
  throw new UsageError(`--url ${JSON.stringify(url)} is no address. Write it as http://localhost:3000/ops.`);
}
