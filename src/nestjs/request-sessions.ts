import type { AbstractHttpAdapter } from '@nestjs/core';
import type { Cache } from '../cache/cache.ts';
import type { HttpSessionOptions } from '../cache/http-session.ts';
import { tidemark as express } from '../express/index.ts';
import { tidemark as fastify } from '../fastify/index.ts';

/**
 * Has each request of an application be a session of the cache, by what is made for the framework below NestJS.
 *
 * @param options see `httpSessions`; their request is that of the framework
 * @throws TidemarkError `INVALID_OPTION`
 */
export function beginSessions(adapter: AbstractHttpAdapter, cache: Cache, options: HttpSessionOptions<never>): void {
  // Whoever gives a function of the request knows which framework it is.
  const shown = options as HttpSessionOptions;
  if (adapter.getType() === 'fastify') {
    const app = adapter.getInstance<Parameters<typeof fastify>[0]>();
    void app.register(fastify, { cache, ...shown });
  } else {
    adapter.use(express({ cache, ...shown }));
  }
}
