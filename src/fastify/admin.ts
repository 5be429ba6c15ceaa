import type { FastifyInstance } from 'fastify';
import type { Admin } from '../admin/index.ts';

/**
 * A Fastify plugin: the HTTP API of `tidemark/admin`, which answers all that begins with the prefix. It is closed with the
 * application, before that waits for open connections.
 *
 * @example await app.register(tidemarkAdmin, { prefix: '/ops', admin: createAdmin(operations, { access }) });
 */
export async function tidemarkAdmin(app: FastifyInstance, { admin }: { readonly admin: Admin }): Promise<void> {
  const listener = admin.listenerAt(app.prefix);
  // The API reads bodies itself, within its own limits.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.addHook('preClose', () => admin.close());
  app.all('/*', (request, reply) => {
    reply.hijack();
    listener(request.raw, reply.raw);
  });
}
