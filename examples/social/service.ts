import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Cache, type Provenance, type Receipt, TidemarkError } from 'tidemark';
import { POSITION } from './position.ts';

/** An HTTP service with its cache, not listening yet; closing it closes the cache. */
export function createService(cache: Cache): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
    const badToken = error instanceof TidemarkError && error.code === 'INVALID_TOKEN';
    await reply.code(badToken ? 400 : (error.statusCode ?? 500)).send({ message: error.message });
  });
  app.addHook('onClose', async () => {
    await cache.close({ drain: '1s' });
  });
  return app;
}

/** The position that a client, or another service, wants to see at the least. */
export function positionIn({ headers }: FastifyRequest): string | undefined {
  const position = headers[POSITION];
  return Array.isArray(position) ? position[0] : position;
}

/** Answers a read, with the tier that the value came from. */
export async function answer(reply: FastifyReply, { value, from }: Provenance<unknown>): Promise<void> {
  if (value === null) await reply.code(404).send({ message: 'There is no such thing.', from });
  else await reply.send({ data: value, from });
}

/** Answers a write. Whoever sends the header back with a later request, to whatever service, sees this write. */
export async function written(reply: FastifyReply, data: unknown, receipt: Receipt | undefined): Promise<void> {
  if (receipt !== undefined) reply.header(POSITION, receipt.token);
  await reply.send({ data, invalidation: receipt?.status });
}
