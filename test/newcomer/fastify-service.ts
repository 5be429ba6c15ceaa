import { fastify, type FastifyInstance } from 'fastify';
import type { Database } from '../../test/newcomer/database.ts';

export async function createApp(db: Database): Promise<FastifyInstance> {
  const app = fastify();

  app.get<{ Params: { id: string } }>('/users/:id', async (request) => {
    const { id } = request.params;
    return db.user(id);
  });

  app.put<{ Params: { id: string }; Body: { name: string } }>('/users/:id', async (request) => {
    const { id } = request.params;
    await db.rename(id, request.body.name);
    return { id };
  });

  return app;
}
