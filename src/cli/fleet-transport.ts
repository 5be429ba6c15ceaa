import type { Transport } from './transport.ts';
import { UsageError } from './usage-error.ts';

/**
 * The API of a fleet, in this process. What it needs of adapters and drivers is loaded only here.
 *
 * @param timeout longest wait for the server, in ms
 * @throws UsageError where there is no fleet of this name; what fleet it throws
 */
export async function fleetTransport(redis: string, name: string | undefined, timeout: number): Promise<Transport> {
  const where = shown(redis);
  if (name === undefined || name === '')
    throw new UsageError(`Which fleet on ${where}? Give --name or TIDEMARK_NAME: what createCache calls its cache.`);
  const { openFleet } = await import('./fleet.ts');
  const fleet = await opened(openFleet({ redis, name, timeout }), where);
  return {
    where: `${where} (${name})`,
    fleet: true,
    fetch: (path, { signal, ...init }) =>
      abortable(fleet.admin.fetch(new Request(`http://fleet${path}`, init)), signal),
    close: () => fleet.close(),
  };
}

/** An address without its password. */
function shown(redis: string): string {
  if (!URL.canParse(redis))
    throw new UsageError(
      `--redis ${JSON.stringify(redis.slice(0, 8))}... is no address. Write it as redis://localhost:6379.`,
    );
  const { protocol, host } = new URL(redis);
  return `${protocol}//${host}`;
}

/** @throws what says which server it is that does not answer */
async function opened<T>(work: Promise<T>, where: string): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code !== 'UNAVAILABLE' && code !== 'NOT_READY') throw cause;
    throw new Error(`No server answers at ${where}: ${message} Look after it, or give it longer by --timeout 30s.`, {
      cause,
    });
  }
}

/** Nobody who answers in this process looks at the signal of a request. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
