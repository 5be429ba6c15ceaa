import Fastify, { type FastifyInstance } from 'fastify';
import { type Cache, type CacheOptions, createCache } from 'tidemark';
import { availabilityQuery } from './availability.ts';
import { Calendar, type CalendarOptions } from './calendar.ts';
import { createCatalogue } from './catalogue.ts';
import { Claims } from './claims.ts';
import type { Database } from './database.ts';
import type { Mailbox } from './mailbox.ts';
import { asProblem } from './problem.ts';
import { recover, type Recovered } from './recovery.ts';
import { routes } from './routes.ts';
import type { SagaListener } from './saga.ts';
import type { Shop } from './shop.ts';
import { createTransact } from './transact.ts';

export interface ServiceOptions {
  readonly database: Database;
  readonly calendar: CalendarOptions;
  readonly mailbox: Mailbox;
  /** Log, store and lease of the cache; default: this process's memory. */
  readonly parts?: Partial<CacheOptions>;
  readonly tell?: SagaListener;
  /** Where the service's own log lines go; default: nowhere. */
  readonly stream?: { write(line: string): void };
}

export interface Service {
  /** Not listening yet. Closing it closes the cache; the database is the caller's. */
  readonly app: FastifyInstance;
  readonly cache: Cache;
  /** @param olderThan as of {@link recover}, in ms; default 30 s */
  recover(olderThan?: number): Promise<Recovered>;
}

/** The only place where everything is put together. */
export function createService({ database, parts, stream, tell = () => {}, ...options }: ServiceOptions): Service {
  const app = Fastify({
    logger: stream === undefined ? false : { level: 'info', stream },
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  const cache = createCache({ name: 'booking', logger: app.log, ...parts });
  const calendar = new Calendar(options.calendar);
  const shop: Shop = {
    cache,
    sql: database,
    transact: createTransact(cache, database),
    claims: new Claims(),
    calendar,
    mailbox: options.mailbox,
    logger: app.log,
    tell,
  };
  app.setErrorHandler(async (error, request, reply) => {
    const problem = asProblem(error);
    if (problem.status >= 500) request.log.error({ err: problem.cause ?? error }, problem.message);
    if (problem.status === 503) reply.header('retry-after', '5');
    await reply.code(problem.status).type('application/problem+json').send(problem.body());
  });
  app.setNotFoundHandler(({ method, url }) => {
    throw Object.assign(new Error(`There is no ${method} ${url.slice(0, 100)}.`), { statusCode: 404 });
  });
  app.addHook('onClose', async () => {
    await cache.close({ drain: '1s' });
  });
  routes(app, shop, createCatalogue(cache, database), availabilityQuery(cache, database, calendar));
  return { app, cache, recover: (olderThan = 30_000) => recover(shop, olderThan) };
}
