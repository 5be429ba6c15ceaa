import type { FastifyInstance } from 'fastify';
import { type Cache, createRules, tag } from 'tidemark';
import { readOptions } from './position.ts';
import { ownProfiles, type Profile } from './profiles.ts';
import { Repository } from './repository.ts';
import { answer, createService, positionIn, written } from './service.ts';

type UserEvent = { type: 'user.renamed'; userId: string };

/** Who is who. */
export function createUserService(cache: Cache): FastifyInstance {
  const app = createService(cache);
  const users = new Repository<Profile>({
    42: { id: '42', name: 'Ada' },
    43: { id: '43', name: 'Grace' },
    44: { id: '44', name: 'Edsger' },
  });
  const profiles = ownProfiles(cache, users);
  const rules = createRules<UserEvent>(
    cache,
    // The service does not know who shows its users. Whoever does, has tagged what it keeps with them.
    { 'user.renamed': ({ userId }) => tag(`user:${userId}`) },
    { fields: ({ userId }) => ({ user: userId }) },
  );

  app.get<{ Params: { id: string } }>('/users/:id', async (request, reply) => {
    const position = positionIn(request);
    await answer(reply, await profiles.with(readOptions(position)).read(request.params.id, position));
  });

  app.patch<{ Params: { id: string }; Body: { name: string } }>(
    '/users/:id',
    {
      schema: { body: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } } },
    },
    async (request, reply) => {
      const { id } = request.params;
      if ((await users.find(id)) === null) return reply.code(404).send({ message: `There is no user ${id}.` });
      const profile = await users.save(id, { id, name: request.body.name });
      // After the commit, never before it.
      return written(reply, profile, await rules.handle({ type: 'user.renamed', userId: id }));
    },
  );
  return app;
}
