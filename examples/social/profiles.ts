import { type Cache, type Query, withContext } from 'tidemark';
import { loadPosition } from './position.ts';
import type { Remote } from './remote.ts';
import type { Repository } from './repository.ts';

export interface Profile {
  readonly id: string;
  readonly name: string;
}

/** `position` is what the reader brought: no part of the key, but the loader has to know. */
export type Profiles = Query<[id: string, position?: string | undefined], Profile | null>;

const kept = {
  key: (id: string) => [id],
  tags: (id: string) => [`user:${id}`],
  ttl: '1m',
  negativeTtl: '5s',
} as const;

/** In the user service, which owns them. */
export function ownProfiles(cache: Cache, users: Repository<Profile>): Profiles {
  return cache.query({ ...kept, name: 'user:profile', load: (id: string, _position?: string) => users.find(id) });
}

/**
 * In any other service. All of them keep their copies under one name, so that what one has put into the store serves the
 * others. It is not the owner's name: while a load here holds the fleet's lease of a key, the owner, who is asked by that
 * load, would wait for the lease of the same key.
 */
export function remoteProfiles(cache: Cache, user: Remote): Profiles {
  return cache.query({
    ...kept,
    name: 'copy:user:profile',
    load: withContext((ctx, id: string, position?: string) =>
      user.get<Profile>(['users', id], { position: loadPosition(cache, position), signal: ctx.signal }),
    ),
  });
}
