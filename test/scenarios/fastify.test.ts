import { AsyncResource } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { fastify, type FastifyInstance } from 'fastify';
import { createCache, key } from 'tidemark';
import { tidemark } from 'tidemark/fastify';
import { describe, expect, it } from 'vitest';
import { describeFramework, type Service, type Start } from './framework-cases.ts';
import type { Rows } from './rows.ts';

type ById = { Params: { id: string }; Body: { value: string } };

/** In a plugin of its own, as larger applications have their routes. */
function routes(rows: Rows) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get<ById>('/rows/:id', (request) => rows.read(request.cache, request.params.id));
    app.post<ById>('/read/:id', (request) => rows.read(request.cache, request.params.id));
    app.post<ById>('/rows/:id', async ({ cache, params, body }) => {
      await rows.write(cache, params.id, body.value);
      return rows.read(cache, params.id);
    });
    app.post<ById>('/fails/:id', async ({ cache, params }) => {
      await rows.write(cache, params.id);
      throw new Error('in the middle');
    });
    app.post<ById>('/moved/:id', async ({ cache, params }, reply) => {
      await rows.write(cache, params.id);
      return reply.redirect('/rows/7', 303);
    });
    app.post<ById>('/streams/:id', ({ cache, params }) =>
      Readable.from(
        (async function* () {
          yield 'begun, ';
          await rows.write(cache, params.id);
          yield 'ended';
        })(),
        { objectMode: false },
      ),
    );
    app.post<ById>('/hasty/:id', async ({ cache, params }) => {
      void rows.write(cache, params.id);
      return 'at once';
    });
    app.get('/token', async ({ cache }) => cache.sessionToken() ?? 'none');
  };
}

const start: Start = async (cache, rows, options) => {
  const app = fastify({ forceCloseConnections: true });
  await app.register(tidemark, { cache, ...options });
  await app.register(routes(rows));
  return listening(app);
};

async function listening(app: FastifyInstance): Promise<Service> {
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
}

describeFramework('Fastify', start);

describe('tidemark/fastify', () => {
  it('ends the cache that it has made with the application', async () => {
    const app = fastify();
    await app.register(tidemark, { cache: { name: 'made' } });
    await app.ready();
    const { tidemark: made } = app;
    expect(await made.getOrSet('k', () => 'value')).toBe('value');
    await app.close();
    await expect(made.getOrSet('k', () => 'value')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('holds what hooks read before the body is parsed as well, and a reply sent by hand', async () => {
    const cache = createCache({ name: 'shop' });
    const app = fastify();
    await app.register(tidemark, { cache });
    const told: (string | undefined)[] = [];
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'] as const)
      app.addHook(hook, async () => void told.push(cache.sessionToken()));
    app.post('/', (_request, reply) => {
      reply.hijack();
      void cache.invalidate(key('k')).then(() => reply.raw.writeHead(200, { 'x-own': 'yes' }).end());
    });
    const token = `1.${'a'.repeat(16)}.1`;
    const answer = await app.inject({ method: 'POST', url: '/', payload: {}, headers: { 'tidemark-position': token } });
    expect(answer.headers).toMatchObject({ 'x-own': 'yes', 'tidemark-position': `${token},${cache.mark()}` });
    expect(told.slice(0, 4)).toEqual([token, token, token, token]);
    await app.close();
    await cache.close();
  });

  it('finds the way back where a hook calls back from outside of the request', async () => {
    const elsewhere = new AsyncResource('a connection that requests share');
    const cache = createCache({ name: 'shop' });
    const app = fastify();
    await app.register(tidemark, { cache });
    app.addHook('onRequest', (_request, _reply, done) => elsewhere.runInAsyncScope(done));
    app.get('/', async () => cache.sessionToken());
    const token = `1.${'a'.repeat(16)}.1`;
    const answer = await app.inject({ url: '/', headers: { 'tidemark-position': token } });
    expect(answer.body).toBe(token);
    await app.close();
    await cache.close();
  });

  it.each([
    [{ cache: { name: 'shop' }, header: 'no name' }, 'header: "no name" is no name of a header'],
    [{ cache: { name: 'shop' }, trusts: true }, 'there is no option "trusts"'],
    [{ cache: {} }, 'name'],
    [{}, 'cache: undefined is no cache. Give what createCache() returned'],
    [{ cache: 'shop' }, 'cache: "shop" is no cache'],
  ])('refuses %j', async (options, message) => {
    const app = fastify();
    await expect(async () => app.register(tidemark, options as never)).rejects.toThrow(message);
    await app.close().catch(() => {});
  });
});
