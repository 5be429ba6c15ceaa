import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { KeyInput } from '../coherence/key.ts';
import type { ReadOptions } from '../cache/read-options.ts';
import { classesOf, isClass, type MessageClass, type TypedMessage, typeOf } from './bus-message.ts';

/** How the queries of one class, or of one `type`, are cached. What is not said is as for all queries. */
export interface QuerySettings<Q extends object> extends Omit<ReadOptions, 'atLeast'> {
  /** What its keys begin with, below the prefix; default its class's name, or its `type`. One name is one query in the whole fleet. */
  readonly name?: string;
  /** The key below the name; default `getCacheKey()`, and where it has none, its parameters. */
  readonly key?: (query: Q) => KeyInput;
  /** The same for the same key. */
  readonly tags?: (query: Q) => readonly string[];
  /** Of the shape of its answers, see `QueryOptions.version`. */
  readonly version?: number;
  /** In shadow mode: whether what the cache has is as good as what was loaded. Default: whether the two are equal. */
  readonly equals?: (cached: unknown, loaded: unknown) => boolean;
}

/** Names that stand beside read options. */
export const QUERY_SETTINGS: readonly string[] = ['name', 'key', 'tags', 'version', 'equals'];

/** How queries of a class are cached. Made by {@link forQuery}. */
export interface QueryRule {
  readonly query: MessageClass;
  readonly settings: QuerySettings<never>;
}

/** How the queries of each `type` are cached. */
export type QueryMap<Q extends TypedMessage> = {
  readonly [K in Q['type']]?: QuerySettings<Extract<Q, { type: K }>>;
};

/** What tells queries apart. */
export type QueryKind = MessageClass | string;

/**
 * Caches the queries of a class, in a way of their own.
 *
 * @throws TidemarkError `INVALID_OPTION` where it is no class
 * @example forQuery(GetUser, { ttl: '1m', key: (query) => [query.userId], tags: (query) => [`user:${query.userId}`] })
 */
export function forQuery<Q extends object>(query: MessageClass<Q>, settings: QuerySettings<Q> = {}): QueryRule {
  if (isClass(query)) return { query, settings };
  throw new TidemarkError('INVALID_OPTION', `forQuery(): ${shorten(query)} is not a class. Give the query's class.`);
}

/** What is known of queries beforehand. */
export class QueryRules {
  readonly #settings: ReadonlyMap<QueryKind, QuerySettings<object>>;

  /** @throws TidemarkError `INVALID_OPTION` for what neither {@link forQuery} made, nor names a type */
  constructor(given: readonly QueryRule[] | object = []) {
    const pairs = Array.isArray(given) ? (given as readonly QueryRule[]).map(pairOf) : Object.entries(given);
    this.#settings = new Map(pairs as [QueryKind, QuerySettings<object>][]);
  }

  entries(): Iterable<[QueryKind, QuerySettings<object>]> {
    return this.#settings.entries();
  }

  get(kind: QueryKind): QuerySettings<object> | undefined {
    return this.#settings.get(kind);
  }

  /** By what a query is known: the class or type that settings name, else its class, else its type. */
  kindOf(query: object): QueryKind | undefined {
    const [made, type] = [classesOf(query)[0], typeOf(query)];
    if (made === undefined || (type !== undefined && !this.#settings.has(made) && this.#settings.has(type)))
      return type;
    return made;
  }
}

function pairOf(rule: QueryRule): [QueryKind, QuerySettings<never>] {
  if (typeof rule === 'object' && rule !== null && isClass(rule.query)) return [rule.query, rule.settings];
  throw new TidemarkError(
    'INVALID_OPTION',
    `queries: ${shorten(rule)} is not made by forQuery(). Write [forQuery(GetUser, { ttl: '1m' })].`,
  );
}
