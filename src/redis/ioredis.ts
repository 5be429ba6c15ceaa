import { answering, ClientConnection } from './client-connection.ts';
import type { Connection, Driver, Reply } from './connection.ts';

/** What is used of a `Redis` of ioredis. */
export interface Ioredis {
  readonly options: Readonly<Record<string, unknown>>;
  readonly stream?: { cork(): void; uncork(): void; destroy(): void };
  duplicate(overrides: object): Ioredis;
  connect(): Promise<unknown>;
  callBuffer(command: string, args: readonly (string | Buffer)[]): Promise<Reply>;
  disconnect(): void;
  on(event: string, listener: (cause?: unknown) => void): unknown;
}

/** No queue, no second attempt, no deadline of its own, names of keys as they are; all else as the client has it. */
const own = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  retryStrategy: () => null,
  reconnectOnError: null,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  keyPrefix: '',
  readOnly: false,
  stringNumbers: false,
  monitor: false,
  noDelay: true,
  keepAlive: 10_000,
  replyMapping: 'legacy',
};

/** Each attempt asks the Sentinels once which server is the primary. */
const ownSentinel = { role: 'master', sentinelRetryStrategy: () => null, failoverDetector: false };

/** ioredis over one server, or over the primary that Sentinels name. */
export function ioredisDriver(client: Ioredis): Driver {
  return { connect: (_key, timeout) => openIoredis(client, timeout), spread: () => undefined, close: () => {} };
}

/** Opens a duplicate. @param place where, unless it is where `template` connects to */
export function openIoredis(template: Ioredis, timeout: number, place: object = {}): Promise<Connection> {
  const sentinels = Array.isArray(template.options['sentinels']);
  const limits = { connectTimeout: timeout, sentinelCommandTimeout: timeout };
  const client = template.duplicate({ ...own, ...(sentinels ? ownSentinel : {}), ...limits, ...place });
  let failure: unknown;
  let corked = false;
  /** What one turn sends goes out in one write. */
  const cork = (): void => {
    const { stream } = client;
    if (corked || stream === undefined) return;
    corked = true;
    stream.cork();
    process.nextTick(() => {
      corked = false;
      stream.uncork();
    });
  };
  const connection = new ClientConnection({
    send: (args) => {
      cork();
      return client.callBuffer(String(args[0]), args.slice(1));
    },
    end: () => {
      client.disconnect();
      client.stream?.destroy(); // It would wait for a server that does not answer.
    },
  });
  client.on('error', (error) => (failure = error));
  client.on('close', () => connection.lost(failure));
  client.on('end', () => connection.lost(failure));
  return answering(
    connection,
    () => client.connect(),
    timeout,
    () => failure,
  );
}
