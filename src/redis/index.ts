export type { IoredisClient, NodeRedisClient, RedisClient } from './client.ts';
export { logNames } from './log-names.ts';
export { redis, type RedisParts } from './redis.ts';
export type { RedisOptions } from './redis-options.ts';
