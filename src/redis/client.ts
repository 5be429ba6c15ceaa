/**
 * The subset of an ioredis client (5 or 6) that is needed: `Redis`, with or without Sentinel, or `Cluster`. No driver is
 * imported: whatever fits will do.
 */
export interface IoredisClient {
  duplicate(...args: never[]): unknown;
  callBuffer(command: string, ...args: never[]): Promise<unknown>;
}

/** The subset of a node-redis client (5 or 6) that is needed: `createClient`, `createSentinel` or `createCluster`. */
export interface NodeRedisClient {
  duplicate(...args: never[]): unknown;
  sendCommand(...args: never[]): Promise<unknown>;
}

/** A client that is handed in: it is never closed and never changed, duplicates of it are used. */
export type RedisClient = IoredisClient | NodeRedisClient;
