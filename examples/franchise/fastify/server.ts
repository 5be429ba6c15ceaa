import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { createCache } from 'tidemark';
import { tidemark } from 'tidemark/fastify';
import { cacheOptions } from '../domain/cache.ts';
import { createCommit } from '../domain/change.ts';
import { noSuchRoute } from '../domain/problem.ts';
import { createReports } from '../domain/reports.ts';
import { createDomainRules } from '../domain/rules.ts';
import { invalid } from '../domain/validation.ts';
import type { Service, ServiceParts } from '../service.ts';
import { endConnectionsOnClose } from './closing.ts';
import { acceptNothingButJson } from './json-only.ts';
import { replyWithProblem } from './problem-handler.ts';
import { routes } from './routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The organisation that the caller's token speaks for. */
    orgId: string;
  }
}

/** The HTTP service with its cache. */
export async function fastifyEdition(parts: ServiceParts): Promise<Service> {
  const app = createServer(parts);
  return {
    async listen(port, host) {
      await app.listen({ port, host });
      return `http://${host.includes(':') ? `[${host}]` : host}:${(app.server.address() as AddressInfo).port}`;
    },
    close: () => app.close(),
  };
}

function createServer({ sql, tenants, redisUrl, log }: ServiceParts): FastifyInstance {
  const app = Fastify({
    logger: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A wrong type is said to be wrong, not converted; `verbose` gives the messages the value and the schema at fault.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
    schemaErrorFormatter: invalid,
  });
  const cache = createCache({ ...cacheOptions(redisUrl), logger: app.log });
  const reports = createReports(cache, sql);
  const commit = createCommit(sql, createDomainRules(cache, reports));

  app.register(tidemark, { cache });
  app.decorateRequest('orgId', '');
  app.setErrorHandler(replyWithProblem);
  app.setNotFoundHandler(({ method, url }) => {
    throw noSuchRoute(method, url);
  });
  acceptNothingButJson(app);
  endConnectionsOnClose(app);
  app.register(
    async (franchise) => {
      franchise.addHook('onRequest', async (request) => {
        request.orgId = tenants.organisation(request.headers.authorization);
      });
      routes(franchise, reports, commit);
    },
    { prefix: '/franchise' },
  );
  app.addHook('onClose', async () => {
    await cache.close({ drain: '1s' });
  });
  return app;
}
