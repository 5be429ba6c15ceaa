import { shorten, TidemarkError } from '../coherence/errors.ts';
import { type Target, targetList } from '../coherence/target.ts';

/** For each kind of entity what is stale once one of them has changed: its own keys, its parents' lists, its tags. */
export type TouchMap<E> = { readonly [K in keyof E]: (entity: E[K]) => Target | readonly Target[] };

/** Entities in, targets out. */
export interface Touches<E> {
  /** The kinds of entities that the map has. */
  readonly kinds: readonly (keyof E & string)[];
  /**
   * What a change of an entity makes stale. Both states count: a user who moves from one organisation to another changes the
   * lists of both.
   *
   * @param before `undefined` of one that is new
   * @param after `undefined` of one that is deleted
   * @throws what the mapping throws; TidemarkError `INVALID_OPTION` for a kind that the map does not have, `INVALID_TARGET` where
   * it returns something else than targets
   */
  of<K extends keyof E & string>(kind: K, before: E[K] | undefined, after: E[K] | undefined): readonly Target[];
}

/**
 * Binds entities to what they touch in the cache, so that the code that stores them need not know.
 *
 * @example
 * const touches = createTouches<{ user: User }>({ user: (it) => [users.at(it.id), tag(`org:${it.orgId}`)] });
 */
export function createTouches<E>(map: TouchMap<E>): Touches<E> {
  for (const [kind, touch] of Object.entries(map)) {
    if (typeof touch !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `touches: ${shorten(kind)} is not a function. Give a function from the entity to its targets.`,
      );
  }
  return {
    kinds: Object.keys(map) as (keyof E & string)[],
    of(kind, before, after) {
      if (!Object.hasOwn(map, kind))
        throw new TidemarkError(
          'INVALID_OPTION',
          `touches: there is no ${shorten(kind)}. Known are ${Object.keys(map).join(', ')}.`,
        );
      return [before, after].flatMap((entity) => (entity === undefined ? [] : targetsOf(kind, map[kind](entity))));
    },
  };
}

function targetsOf(kind: string, given: Target | readonly Target[]): readonly Target[] {
  return targetList(
    given,
    (shown) =>
      `touches: ${shorten(kind)} returned ${shown}, which is not a target. Return key(...), tag(...), pattern(...) or query.at(...).`,
  );
}
