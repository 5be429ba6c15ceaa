import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6';
import * as redis6 from 'redis';
import * as redis5 from 'redis5';
import type { RedisClient } from '../../src/redis/client.ts';

/** Where a test's servers are, and who may use them. */
export interface Access {
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  /** The certificate to trust. */
  readonly ca?: string;
}

/** A client of one version of one driver. None is connected, and none prints its errors. */
export interface ClientFamily {
  readonly name: string;
  standalone(access: Access): RedisClient;
  /** @param ports of the Sentinels, which watch `main` */
  sentinel(ports: readonly number[]): RedisClient;
  cluster(ports: readonly number[]): RedisClient;
  connect(client: RedisClient): Promise<unknown>;
  /** The reply to a command by the client itself. */
  ask(client: RedisClient, ...args: string[]): Promise<unknown>;
  end(client: RedisClient): void;
}

interface Ended {
  connect(): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  disconnect(): void;
  destroy(): void;
  call(...args: string[]): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
}

const host = '127.0.0.1';

/** The four versions that are supported. */
export const clientFamilies: readonly ClientFamily[] = [
  ioredis('ioredis 5', Redis5, Cluster5),
  ioredis('ioredis 6', Redis6 as unknown as typeof Redis5, Cluster6 as unknown as typeof Cluster5),
  nodeRedis('node-redis 5', redis5 as unknown as typeof redis6),
  nodeRedis('node-redis 6', redis6),
];

function ioredis(name: string, Redis: typeof Redis5, Cluster: typeof Cluster5): ClientFamily {
  return {
    name,
    standalone: ({ ca, ...access }) =>
      quiet(new Redis({ host, lazyConnect: true, ...access, ...(ca === undefined ? {} : { tls: { ca } }) })),
    sentinel: (ports) =>
      quiet(new Redis({ lazyConnect: true, name: 'main', sentinels: ports.map((port) => ({ host, port })) })),
    cluster: (ports) =>
      quiet(
        new Cluster(
          ports.map((port) => ({ host, port })),
          { lazyConnect: true },
        ),
      ),
    connect: (client) => ended(client).connect(),
    ask: (client, ...args) => ended(client).call(...args),
    end: (client) => ended(client).disconnect(),
  };
}

function nodeRedis(name: string, redis: typeof redis6): ClientFamily {
  return {
    name,
    standalone: ({ port, db, ca, ...user }) =>
      quiet(
        redis.createClient({
          socket: ca === undefined ? { host, port } : { host, port, tls: true, ca },
          ...user,
          ...(db === undefined ? {} : { database: db }),
        }),
      ),
    sentinel: (ports) =>
      quiet(redis.createSentinel({ name: 'main', sentinelRootNodes: ports.map((port) => ({ host, port })) })),
    cluster: (ports) => quiet(redis.createCluster({ rootNodes: ports.map((port) => ({ socket: { host, port } })) })),
    connect: (client) => ended(client).connect(),
    ask: (client, ...args) => ended(client).sendCommand(args),
    end: (client) => {
      try {
        ended(client).destroy();
      } catch {
        // It was never connected.
      }
    },
  };
}

function quiet(client: unknown): RedisClient {
  (client as Ended).on('error', () => {});
  return client as RedisClient;
}

function ended(client: RedisClient): Ended {
  return client as unknown as Ended;
}
