import type { FastifyInstance } from 'fastify';
import { type Cache, createRules, type Query, withContext } from 'tidemark';
import { readOptions } from './position.ts';
import { type Posts, remotePosts } from './posts.ts';
import { type Profiles, remoteProfiles } from './profiles.ts';
import { Remote } from './remote.ts';
import { Repository } from './repository.ts';
import { answer, createService, positionIn, written } from './service.ts';

type FeedEvent = { type: 'follows.changed'; readerId: string };

/** One line of a feed: a post under its author's name. */
export interface FeedLine {
  readonly author: string;
  readonly text: string;
}

const PAGE_LENGTH = 10;

/** What a reader's friends wrote. It owns who follows whom; names and posts are the other services'. */
export function createFeedService(
  cache: Cache,
  urls: { readonly user: string; readonly content: string },
): FastifyInstance {
  const app = createService(cache);
  const follows = new Repository<readonly string[]>({ 44: ['42', '43'] });
  const pages = createPages(cache, {
    follows,
    profiles: remoteProfiles(cache, new Remote(urls.user)),
    posts: remotePosts(cache, new Remote(urls.content)),
  });
  // Every page of this reader lies below one key, and nobody else's does.
  const rules = createRules<FeedEvent>(cache, { 'follows.changed': ({ readerId }) => pages.at(readerId) });

  app.get<{ Params: { readerId: string }; Querystring: { page?: string } }>(
    '/feed/:readerId',
    async (request, reply) => {
      const page = Number(request.query.page ?? 1);
      const position = positionIn(request);
      await answer(reply, await pages.with(readOptions(position)).read(request.params.readerId, page, position));
    },
  );

  app.put<{ Params: { readerId: string; authorId: string } }>(
    '/feed/:readerId/follows/:authorId',
    async (request, reply) => {
      const { readerId, authorId } = request.params;
      const authors = new Set((await follows.find(readerId)) ?? []).add(authorId);
      await follows.save(readerId, [...authors]);
      await written(reply, [...authors], await rules.handle({ type: 'follows.changed', readerId }));
    },
  );
  return app;
}

type Pages = Query<[readerId: string, page: number, position?: string | undefined], readonly FeedLine[]>;

interface Sources {
  readonly follows: Repository<readonly string[]>;
  readonly profiles: Profiles;
  readonly posts: Posts;
}

function createPages(cache: Cache, { follows, profiles, posts }: Sources): Pages {
  return cache.query({
    name: 'feed:page',
    ttl: '1m',
    key: (readerId, page) => [readerId, page],
    load: withContext(async (ctx, readerId: string, page: number, position?: string) => {
      const authors = (await follows.find(readerId)) ?? [];
      // Whom a page shows is known only now.
      ctx.tag(...authors.flatMap((id) => [`user:${id}`, `posts:${id}`]));
      // Nothing of a page may be older than its reader asks for.
      const asked = readOptions(position);
      const ids = authors.map((id): [string, string | undefined] => [id, position]);
      const [people, lists] = await Promise.all([profiles.with(asked).many(ids), posts.with(asked).many(ids)]);
      const names = new Map(people.map((it) => [it?.id, it?.name]));
      return lists
        .flatMap((list) => list ?? [])
        .sort((a, b) => b.number - a.number)
        .slice((page - 1) * PAGE_LENGTH, page * PAGE_LENGTH)
        .map(({ authorId, text }): FeedLine => ({ author: names.get(authorId) ?? 'somebody', text }));
    }),
  });
}
