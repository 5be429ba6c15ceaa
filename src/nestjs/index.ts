export { Cached, type QueryOf, queryOf } from './cached.ts';
export type { CachedOptions } from './cached-query.ts';
export { cacheToken, InjectCache } from './cache-token.ts';
export { Invalidates, type InvalidatesOptions } from './invalidates.ts';
export { type EventName, InvalidatesOn } from './invalidates-on.ts';
export { type MessageBus, useMiddleware } from './message-bus.ts';
export { type CacheFactory, type CacheRegistration, type CacheSettings, TidemarkModule } from './module.ts';
