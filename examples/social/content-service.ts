import type { FastifyInstance } from 'fastify';
import { type Cache, createRules, tag } from 'tidemark';
import { readOptions } from './position.ts';
import { ownPosts, type Post } from './posts.ts';
import { Repository } from './repository.ts';
import { answer, createService, positionIn, written } from './service.ts';

type ContentEvent = { type: 'post.published'; authorId: string };

/** Who wrote what. */
export function createContentService(cache: Cache): FastifyInstance {
  const app = createService(cache);
  let published = 2;
  const table = new Repository<readonly Post[]>({
    42: [{ authorId: '42', text: 'On the analytical engine', number: 1 }],
    43: [{ authorId: '43', text: 'A moth in the relay', number: 2 }],
  });
  const posts = ownPosts(cache, table);
  const rules = createRules<ContentEvent>(cache, {
    'post.published': ({ authorId }) => tag(`posts:${authorId}`),
  });

  app.get<{ Params: { authorId: string } }>('/posts/:authorId', async (request, reply) => {
    const position = positionIn(request);
    await answer(reply, await posts.with(readOptions(position)).read(request.params.authorId, position));
  });

  app.post<{ Params: { authorId: string }; Body: { text: string } }>(
    '/posts/:authorId',
    {
      schema: { body: { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } } },
    },
    async (request, reply) => {
      const { authorId } = request.params;
      const post: Post = { authorId, text: request.body.text, number: ++published };
      const before = (await table.find(authorId)) ?? [];
      await table.save(authorId, [...before, post]);
      await written(reply, post, await rules.handle({ type: 'post.published', authorId }));
    },
  );
  return app;
}
