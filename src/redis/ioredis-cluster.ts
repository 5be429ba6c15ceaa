import { type ClusterClient, ClusterCommands } from './cluster-commands.ts';
import { slotOf } from './cluster-slot.ts';
import type { Connection, Driver, Reply } from './connection.ts';
import { type Ioredis, openIoredis } from './ioredis.ts';

/** What is used of a `Cluster` of ioredis. */
export interface IoredisCluster {
  readonly options: Readonly<Record<string, unknown>>;
  /** By slot: the servers as `host:port`, the primary first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  duplicate(startupNodes: readonly never[], overrides: object): IoredisCluster;
  connect(): Promise<unknown>;
  nodes(role: 'master'): readonly Ioredis[];
  callBuffer(command: string, args: readonly (string | Buffer)[]): Promise<Reply>;
  disconnect(): void;
  on(event: string, listener: (cause?: unknown) => void): unknown;
}

/** ioredis over a Cluster. */
export function ioredisClusterDriver(client: IoredisCluster): Driver {
  return {
    connect: (key, timeout) => connectToOwner(client, key, timeout),
    spread: (timeout) => new ClusterCommands(() => clusterClient(client, timeout), timeout),
    servers: {
      list: (timeout) => looking(client, timeout, (look) => Promise.resolve(look.nodes('master').map(addressOf))),
      connect: (server, timeout) => connectTo(client, timeout, () => server),
    },
    close: () => {},
  };
}

/** A duplicate that is not connected yet, and reads and writes names of keys as they are. */
function duplicateOf(client: IoredisCluster, timeout: number, overrides: object): IoredisCluster {
  const redisOptions = { ...(client.options['redisOptions'] as object | undefined) };
  const own = { keyPrefix: '', commandTimeout: undefined, socketTimeout: undefined, connectTimeout: timeout };
  const duplicate = client.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    scaleReads: 'master',
    keyPrefix: '',
    redisOptions: { ...redisOptions, ...own },
    ...overrides,
  });
  duplicate.on('error', () => {});
  return duplicate;
}

function connectToOwner(client: IoredisCluster, key: string, timeout: number): Promise<Connection> {
  return connectTo(client, timeout, (look) => look.slots[slotOf(key)]?.[0]);
}

async function connectTo(
  client: IoredisCluster,
  timeout: number,
  find: (look: IoredisCluster) => string | undefined,
): Promise<Connection> {
  const end = performance.now() + timeout;
  return looking(client, timeout, async (look) => {
    const address = find(look);
    const server = look.nodes('master').find((it) => addressOf(it) === address);
    if (server === undefined) throw new Error('No server of the Redis Cluster has the slot of the log now.');
    return openIoredis(server, Math.max(1, end - performance.now()));
  });
}

function addressOf({ options }: Ioredis): string {
  return [options['host'], options['port']].join(':');
}

/** Looks at the Cluster afresh: what another client knew may be from before a failover. */
async function looking<T>(
  client: IoredisCluster,
  timeout: number,
  work: (look: IoredisCluster) => Promise<T>,
): Promise<T> {
  const slotsRefreshTimeout = Math.max(1, Math.floor(timeout / 3)); // so that one hanging server leaves time for others
  const look = duplicateOf(client, timeout, {
    clusterRetryStrategy: () => null,
    enableReadyCheck: false,
    slotsRefreshTimeout,
  });
  const timer = setTimeout(() => look.disconnect(), timeout);
  try {
    await look.connect();
    return await work(look);
  } finally {
    clearTimeout(timer);
    look.disconnect();
  }
}

function clusterClient(template: IoredisCluster, timeout: number): ClusterClient {
  const client = duplicateOf(template, timeout, {
    clusterRetryStrategy: (times: number) => Math.min(20 * times, 1_000),
    slotsRefreshTimeout: timeout,
    slotsRefreshInterval: 1_000,
    // It asks for CLUSTER INFO, which a user may not be allowed; a server that cannot serve yet says so itself.
    enableReadyCheck: false,
    maxRedirections: 5,
  });
  return {
    tried: client.connect().then(nothing, nothing),
    send: (_key, [command = '', ...args]) => client.callBuffer(command.toString(), args),
    serverOf: (key) => client.slots[slotOf(key)]?.[0] ?? '',
    close: () => client.disconnect(),
  };
}

function nothing(): void {}
