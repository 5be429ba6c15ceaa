export type { CachedOptions, EventName, InvalidatesOptions, MessageBus, QueryOf } from '../decorators/index.ts';
export { cacheToken, queryOf, useMiddleware } from '../decorators/index.ts';
export { Cached, InjectCache, Invalidates, InvalidatesOn } from './decorators.ts';
export { type CacheFactory, type CacheRegistration, type CacheSettings, TidemarkModule } from './module.ts';
