import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { RedisClient } from './client.ts';
import type { Driver } from './connection.ts';
import { type Ioredis, ioredisDriver } from './ioredis.ts';
import { type IoredisCluster, ioredisClusterDriver } from './ioredis-cluster.ts';
import { type NodeRedis, nodeRedisDriver } from './node-redis.ts';
import { type NodeRedisCluster, nodeRedisClusterDriver } from './node-redis-cluster.ts';
import { type NodeRedisSentinel, nodeRedisSentinelDriver } from './node-redis-sentinel.ts';

/** Where the servers are: one of the two. */
export interface DriverOptions {
  readonly url?: string;
  readonly client?: RedisClient;
}

/** @throws TidemarkError `INVALID_OPTION` unless exactly one is given and known; nothing is loaded or connected */
export function checkClient({ url, client }: DriverOptions): void {
  if ((url === undefined) === (client === undefined))
    throw invalid(`redis() got ${url === undefined ? 'neither' : 'both'} of url and client. Give one of them.`);
  if (url !== undefined) checkUrl(url);
  if (client !== undefined) madeOver(client);
}

/**
 * A driver that is there at once. With a URL, the package is loaded at the first attempt to connect, which rejects with
 * `TidemarkError` `INVALID_OPTION` if none is installed.
 */
export function lazyDriver(options: DriverOptions): Driver {
  checkClient(options);
  if (options.client !== undefined) return madeOver(options.client);
  let loaded: Promise<Driver> | undefined;
  return {
    connect: async (key, timeout) => {
      loaded ??= driverOf(options);
      return (await loaded).connect(key, timeout);
    },
    spread: () => undefined,
    close: () => void loaded?.then((driver) => driver.close()).catch(() => {}),
  };
}

/** The driver, with its package loaded. @throws TidemarkError `INVALID_OPTION` */
export async function driverOf(options: DriverOptions): Promise<Driver> {
  checkClient(options);
  return madeOver(options.client ?? (await clientOf(options.url ?? '')));
}

/** A client that is never connected: only duplicates of it are. */
async function clientOf(url: string): Promise<RedisClient> {
  const ioredis = await import('ioredis').catch(ifMissing);
  if (ioredis !== undefined) {
    const { pathname } = new URL(url);
    // ioredis would read a path that is no number as another database's name.
    if (pathname.length > 1 && !/^\/\d+$/.test(pathname)) throw invalid(`url: ${pathname} is no database's number.`);
    return new ioredis.Redis(url, { lazyConnect: true });
  }
  const redis = await import('redis').catch(ifMissing);
  if (redis !== undefined) return redis.createClient({ url });
  throw invalid('url needs a driver, and none is installed. Run "npm install ioredis" or "npm install redis".');
}

function ifMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
}

/** Which driver it is shows in what it can do. */
function madeOver(client: RedisClient): Driver {
  const able = (...names: string[]): boolean => names.every((name) => typeof member(client, name) === 'function');
  if (able('callBuffer', 'duplicate'))
    return member(client, 'isCluster') === true
      ? ioredisClusterDriver(client as unknown as IoredisCluster)
      : ioredisDriver(client as unknown as Ioredis);
  if (able('sendCommand', 'duplicate')) {
    if (able('nodeClient')) return nodeRedisClusterDriver(client as unknown as NodeRedisCluster);
    if (able('acquire', 'use')) return nodeRedisSentinelDriver(client as unknown as NodeRedisSentinel);
    if (able('destroy') && member(client, 'totalClients') === undefined)
      return nodeRedisDriver(client as unknown as NodeRedis);
  }
  if (able('sendCommand', 'acquire', 'use'))
    throw invalid('client: createSentinel() of node-redis 5 cannot be duplicated. Use node-redis 6 or ioredis.');
  throw invalid(
    `client: ${described(client)} is no client of ioredis or node-redis, version 5 or later. ` +
      'Give new Redis(), new Cluster(), createClient(), createSentinel() or createCluster().',
  );
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

function described(client: unknown): string {
  const name = (member(client, 'constructor') as { name?: string } | undefined)?.name;
  return name === undefined ? shorten(client) : `an object of class ${shorten(name)}`;
}

function checkUrl(url: unknown): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'redis:' || parsed?.protocol === 'rediss:') return;
  // The password must not get into logs.
  const found = parsed === undefined ? 'this' : `${parsed.protocol}//`;
  throw invalid(`url: ${found} is no address of Redis. Give redis://host:port, or rediss://host:port for TLS.`);
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', message);
}
