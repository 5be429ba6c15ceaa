import { createCache, tag } from 'tidemark';
import type { Contender, Setting } from '../contender.ts';
import { keyOf, TTL_SECONDS } from '../workload.ts';

/** The typed query: it makes its key of its arguments at every read, and its tags where an entry is filled. */
export function open({ capacity, load, tags }: Setting): Contender {
  const cache = createCache({
    name: 'bench',
    memory: { maxEntries: capacity, maxBytes: '4gb' },
    defaults: { ttl: TTL_SECONDS * 1_000 },
  });
  const loadUser = (id: number) => load(keyOf(id));
  const users =
    tags === undefined
      ? cache.query({ name: 'user', load: loadUser })
      : cache.query({ name: 'user', load: loadUser, tags: (id: number) => tags(keyOf(id)) });
  return {
    read: ({ id }) => users(id),
    peek: ({ id }) => users.peek(id),
    invalidate: (name) => cache.invalidate(tag(name)),
  };
}
