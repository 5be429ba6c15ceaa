import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Cache } from 'tidemark';
import { POSITION, readOptions } from './position.ts';
import { remoteProfiles } from './profiles.ts';
import { Remote } from './remote.ts';
import { answer, createService, positionIn } from './service.ts';

export interface GatewayUrls {
  readonly user: string;
  readonly content: string;
  readonly feed: string;
}

/**
 * The one door for clients. It hands the position of a write to the client, and passes on the one that the client
 * brings. Profiles are asked for with every page, so it keeps them itself.
 */
export function createGateway(cache: Cache, urls: GatewayUrls): FastifyInstance {
  const app = createService(cache);
  const user = new Remote(urls.user);
  const content = new Remote(urls.content);
  const feed = new Remote(urls.feed);
  const profiles = remoteProfiles(cache, user);

  app.get<{ Params: { id: string } }>('/users/:id', async (request, reply) => {
    const position = positionIn(request);
    await answer(reply, await profiles.with(readOptions(position)).read(request.params.id, position));
  });
  app.patch<{ Params: { id: string } }>('/users/:id', (request, reply) =>
    forward(request, reply, user.at(['users', request.params.id])),
  );
  app.post<{ Params: { id: string } }>('/users/:id/posts', (request, reply) =>
    forward(request, reply, content.at(['posts', request.params.id])),
  );
  app.get<{ Params: { id: string } }>('/feed/:id', (request, reply) =>
    forward(request, reply, feed.at(['feed', request.params.id])),
  );
  app.put<{ Params: { id: string; authorId: string } }>('/feed/:id/follows/:authorId', (request, reply) =>
    forward(request, reply, feed.at(['feed', request.params.id, 'follows', request.params.authorId])),
  );
  return app;
}

/** The same request to another service, and its answer; both with the position. */
async function forward(request: FastifyRequest, reply: FastifyReply, url: string): Promise<void> {
  const asked = positionIn(request);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const response = await fetch(`${url}${new URL(request.url, url).search}`, {
    method: request.method,
    headers: {
      ...(asked === undefined ? {} : { [POSITION]: asked }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const written = response.headers.get(POSITION);
  if (written !== null) reply.header(POSITION, written);
  await reply.code(response.status).send(await response.json());
}
