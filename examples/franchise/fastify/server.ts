import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { createCache } from 'tidemark';
import { createCommit } from '../domain/change.ts';
import type { Sql } from '../domain/database.ts';
import { Problem, replyWithProblem } from '../domain/problem.ts';
import { createReports } from '../domain/reports.ts';
import { routes } from './routes.ts';
import { createDomainRules } from '../domain/rules.ts';
import type { Tenants } from '../domain/tenants.ts';
import { invalid } from '../domain/validation.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The organisation that the caller's token speaks for. */
    orgId: string;
  }
}

export interface ServerOptions {
  readonly sql: Sql;
  readonly tenants: Tenants;
  readonly logger: FastifyServerOptions['logger'];
}

/** The HTTP service with its cache, not listening yet. Closing it closes the cache too; the database is the caller's. */
export function createServer({ sql, tenants, logger = false }: ServerOptions): FastifyInstance {
  const app = Fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A wrong type is said to be wrong, not converted; `verbose` gives the messages the value and the schema at fault.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
    schemaErrorFormatter: invalid,
  });
  const cache = createCache({ name: 'franchise', logger: app.log });
  const reports = createReports(cache, sql);
  const commit = createCommit(sql, createDomainRules(cache, reports));

  app.decorateRequest('orgId', '');
  app.setErrorHandler(replyWithProblem);
  app.setNotFoundHandler(({ method, url }) => {
    const cure = 'The README of this example lists the routes.';
    throw new Problem(404, 'not_found', `There is no ${method} ${url.slice(0, 100)}.`, { cure });
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

function acceptNothingButJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients say "JSON" on every request. Where a route needs no body, sending none is no error.
    if (body === '') done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/** A client that was answered while the service closes would otherwise keep its connection, and the service with it. */
function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}
