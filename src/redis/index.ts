export type { IoredisClient, NodeRedisClient, RedisClient } from './client.ts';
export { redis, type RedisParts } from './redis.ts';
export type { RedisOptions } from './redis-options.ts';
