import type { FastifyInstance } from 'fastify';

/** A client that was answered while the service closes would otherwise keep its connection, and the service with it. */
export function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}
