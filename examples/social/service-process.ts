import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Cache, createCache } from 'tidemark';
import { redis } from 'tidemark/redis';
import { createContentService } from './content-service.ts';
import { createFeedService } from './feed-service.ts';
import { createGateway, type GatewayUrls } from './gateway.ts';
import { type Happening, watch } from './happening.ts';
import type { ServiceName } from './service-name.ts';
import { createUserService } from './user-service.ts';

/** What a service is told when it starts, in its environment. */
export interface Assignment {
  readonly service: ServiceName;
  readonly redisUrl: string;
  /** The environment's name: a fleet of its own. */
  readonly fleet: string;
  /** Where the services are that were started before this one. */
  readonly urls: Partial<GatewayUrls>;
}

/** What a service tells: that it listens, what happened, and that it has told everything up to a question. */
export type Report =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'happening'; readonly happening: Happening }
  | { readonly type: 'told'; readonly question: number };

const assignment = JSON.parse(process.env['SOCIAL_ASSIGNMENT'] ?? '{}') as Assignment;
const { service, redisUrl, fleet, urls } = assignment;
const report = (it: Report): void => void (process.connected && process.send?.(it));

// One name for the whole fleet: one log, so that one position says what every service has to have seen.
const cache = createCache({ name: 'social', prefix: fleet, ...partsOf(redisUrl) });
watch(cache, service, (happening) => report({ type: 'happening', happening }));
const app = serviceOf(service, cache);

// Whoever started this process ends it by letting go of the channel, even if it was killed itself.
process.once('disconnect', () => void app.close());
process.on('message', (question: number) => report({ type: 'told', question }));
// A terminal interrupts all of its processes; these end in the order that their starter wants.
process.on('SIGINT', () => {});

await cache.ready();
await app.listen({ host: '127.0.0.1', port: 0 });
report({ type: 'listening', url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` });

function partsOf(url: string): Omit<ReturnType<typeof redis>, 'presence'> {
  const { presence: _, ...parts } = redis({ url });
  return parts;
}

function serviceOf(name: ServiceName, of: Cache): FastifyInstance {
  const { user = '', content = '', feed = '' } = urls;
  switch (name) {
    case 'user':
      return createUserService(of);
    case 'content':
      return createContentService(of);
    case 'feed':
      return createFeedService(of, { user, content });
    case 'gateway':
      return createGateway(of, { user, content, feed });
    default:
      throw new Error(`SOCIAL_ASSIGNMENT: ${String(name satisfies never)} is no service.`);
  }
}
