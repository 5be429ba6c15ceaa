import { type Cache, type Query, withContext } from 'tidemark';
import { loadPosition } from './position.ts';
import type { Remote } from './remote.ts';
import type { Repository } from './repository.ts';

export interface Post {
  readonly authorId: string;
  readonly text: string;
  /** The order of publishing, over all authors. */
  readonly number: number;
}

/** `position` as in the profiles. */
export type Posts = Query<[authorId: string, position?: string | undefined], readonly Post[] | null>;

/** An author's posts know nothing of the author's name, so a renaming leaves them cached: no tag `user:...` here. */
const kept = {
  key: (authorId: string) => [authorId],
  tags: (authorId: string) => [`posts:${authorId}`],
  ttl: '1m',
} as const;

/** In the content service, which owns them. */
export function ownPosts(cache: Cache, posts: Repository<readonly Post[]>): Posts {
  return cache.query({
    ...kept,
    name: 'content:posts',
    load: (authorId: string, _position?: string) => posts.find(authorId),
  });
}

/** In any other service; the name is another one for the same reason as with the profiles. */
export function remotePosts(cache: Cache, content: Remote): Posts {
  return cache.query({
    ...kept,
    name: 'copy:content:posts',
    load: withContext((ctx, authorId: string, position?: string) =>
      content.get<readonly Post[]>(['posts', authorId], {
        position: loadPosition(cache, position),
        signal: ctx.signal,
      }),
    ),
  });
}
