import { shorten, TidemarkError } from '../coherence/errors.ts';
import { canonicalKey, escapeSegment } from '../coherence/key.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Target } from '../coherence/target.ts';
import type { Query, QueryOptions } from '../cache/query.ts';
import { DEFAULT_READ_SETTINGS, type ReadOptions, type ReadSettings, readSettings } from '../cache/read-options.ts';
import type { ShadowCounts } from '../cache/shadow-counts.ts';
import { checkMessage, type MessageClass, type TypedMessage } from './bus-message.ts';
import { isCacheable, parametersOf, segmentsOf } from './query-key.ts';
import {
  QUERY_SETTINGS,
  type QueryKind,
  type QueryMap,
  type QueryRule,
  QueryRules,
  type QuerySettings,
} from './query-map.ts';

/** Options of {@link queryCache}; read options are for all queries that do not say otherwise. */
export interface QueryCacheOptions<Queries> extends Omit<ReadOptions, 'atLeast'> {
  /** What every key begins with; default `'query_cache'`. */
  readonly prefix?: string;
  /**
   * Caches every query, also one that neither has `getCacheKey()` nor is named in `queries`, by its parameters. Default false. Read
   * about tenants first.
   */
  readonly all?: boolean;
  /** A list of {@link forQuery}, or an object with the settings of each `type`; who is named is cached. */
  readonly queries?: Queries;
  /** Hears of queries that `all` would cache and cannot, once for each; required with `all`. */
  readonly logger?: Pick<Logger, 'warn'>;
}

/**
 * Answers a query from the cache, or runs it.
 *
 * @throws what `next` throws; TidemarkError as the cache's own queries do
 */
export interface QueryMiddleware<Q extends object = object> {
  <R>(query: Q, next: () => R | Promise<R>): Promise<R>;
  /** The target of one query, of all queries of a class, or of a `type`. */
  at(queries: Q | MessageClass<Q> | TypeOf<Q>): Target;
  /** What queries of a class or `type` have found in shadow mode. */
  shadow(queries: MessageClass<Q> | TypeOf<Q>): ShadowCounts;
}

/** The names that queries are told apart by. */
export type TypeOf<Q> = Q extends TypedMessage ? Q['type'] : string;

/** The part of a cache that is needed. */
export interface QueryMaker {
  query<A extends unknown[], T>(options: QueryOptions<A, T>): Query<A, T>;
}

/**
 * Middleware for a query bus: queries are answered from the cache that have `getCacheKey()`, or are named in `queries`; with `all`,
 * every one. Keys are `query_cache:GetUser:42`: prefix, name, and what the query says; so `cached.at(GetUser)` or
 * `pattern('query_cache:*User*:*')` are their targets.
 *
 * Queries that are asked at the same time share one run of their handler. So its answer must depend on nothing but the query: who asks
 * must be part of it, and of its key, where the answer differs by who asks.
 *
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_QUERY`, at once
 * @example
 * const cached = queryCache(cache, { ttl: '5m', queries: [forQuery(GetUser, { key: (query) => [query.userId] })] });
 * const user = await cached(new GetUser(42), () => handler.execute(query));
 */
export function queryCache(cache: QueryMaker, options?: QueryCacheOptions<readonly QueryRule[]>): QueryMiddleware;
export function queryCache<Q extends TypedMessage>(
  cache: QueryMaker,
  options: QueryCacheOptions<QueryMap<Q>>,
): QueryMiddleware<Q>;
export function queryCache(
  cache: QueryMaker,
  options: QueryCacheOptions<readonly QueryRule[] | object> = {},
): QueryMiddleware {
  const made = new QueryCache(cache, options);
  const read = <R>(query: object, next: () => R | Promise<R>): Promise<R> => made.read(query, next);
  return Object.assign(read, {
    at: (queries: object | QueryKind) => made.at(queries),
    shadow: (kind: QueryKind) => made.known(kind).query.shadow(),
  });
}

const OWN_OPTIONS = ['prefix', 'all', 'queries', 'logger'];

type Asked = [segments: readonly unknown[], next: () => unknown, query: object];

interface Known {
  readonly query: Query<Asked, unknown>;
  /** It is run as if there was no cache. */
  readonly isOff: boolean;
}

class QueryCache {
  readonly #cache: QueryMaker;
  readonly #options: ReadOptions;
  readonly #settings: ReadSettings;
  readonly #prefix: string;
  readonly #all: boolean;
  readonly #logger: Pick<Logger, 'warn'> | undefined;
  readonly #rules: QueryRules;
  readonly #known = new Map<QueryKind, Known>();
  readonly #names = new Set<string>();
  /** Those that `all` could not cache, and that were told of. */
  readonly #told = new Set<QueryKind>();

  constructor(cache: QueryMaker, options: QueryCacheOptions<readonly QueryRule[] | object>) {
    const { prefix = 'query_cache', all = false, queries, logger, ...reading } = options;
    this.#cache = cache;
    this.#options = reading;
    this.#settings = readSettings(options, DEFAULT_READ_SETTINGS, 'queryCache()', OWN_OPTIONS);
    this.#prefix = canonicalKey(prefix);
    this.#all = all;
    this.#logger = logger;
    if (all && typeof logger?.warn !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `queryCache(): logger: ${shorten(logger)} has no warn(). With \`all\`, somebody has to hear of queries that cannot be cached: { logger: console }.`,
      );
    this.#rules = new QueryRules(queries);
    for (const [kind] of this.#rules.entries()) this.known(kind);
  }

  async read<R>(query: object, next: () => R | Promise<R>): Promise<R> {
    checkMessage(query);
    const kind = this.#rules.kindOf(query);
    if (kind === undefined) return next();
    if (this.#isUnheardOf(kind, query)) {
      const answer = await next();
      this.#prepare(kind, query);
      return answer;
    }
    const asked = this.#prepare(kind, query);
    return asked === undefined ? next() : (asked.known.query(asked.segments, next, query) as Promise<R>);
  }

  at(queries: object | QueryKind): Target {
    if (typeof queries !== 'object') return this.known(queries).query.at();
    checkMessage(queries);
    const kind = this.#rules.kindOf(queries) ?? '';
    return this.known(kind).query.at(this.#segments(kind, queries));
  }

  /** @throws TidemarkError `INVALID_QUERY` where it has no name, or that of another */
  known(kind: QueryKind): Known {
    let known = this.#known.get(kind);
    if (known === undefined) {
      known = this.#make(kind, this.#rules.get(kind) ?? {});
      this.#known.set(kind, known);
    }
    return known;
  }

  /**
   * A type that no settings name may have come from outside. It is remembered only once somebody has answered it, or there would be no
   * end of them.
   */
  #isUnheardOf(kind: QueryKind, query: object): boolean {
    return this.#all && typeof kind === 'string' && !this.#known.has(kind) && !isCacheable(query);
  }

  /** Where the query is read; `undefined` where it is not to be cached, or cannot be and only `all` asks for it. */
  #prepare(kind: QueryKind, query: object): { known: Known; segments: readonly unknown[] } | undefined {
    const isChosen = isCacheable(query) || this.#rules.get(kind) !== undefined;
    if (!isChosen && !this.#all) return undefined;
    try {
      const known = this.known(kind);
      return known.isOff ? undefined : { known, segments: this.#segments(kind, query) };
    } catch (error) {
      if (isChosen) throw error;
      this.#tell(kind, error);
      return undefined;
    }
  }

  #segments(kind: QueryKind, query: object): readonly unknown[] {
    const key = this.#rules.get(kind)?.key;
    if (key !== undefined) return segmentsOf(key(query), query);
    return isCacheable(query) ? segmentsOf(query.getCacheKey(), query) : parametersOf(query);
  }

  #make(kind: QueryKind, settings: QuerySettings<object>): Known {
    const { name = typeof kind === 'string' ? kind : kind.name, key: _, tags, version, equals, ...reading } = settings;
    const { mode } = readSettings(settings, this.#settings, `the query ${shorten(name)}`, QUERY_SETTINGS);
    if (name === '' || this.#names.has(name)) throw notItsOwn(name);
    const query = this.#cache.query<Asked, unknown>({
      name: `${this.#prefix}:${escapeSegment(name)}`,
      load: (_segments, next) => next(),
      key: (segments) => segments,
      ...(tags === undefined ? {} : { tags: (_segments, _next, query) => tags(query) }),
      ...(version === undefined ? {} : { version }),
      ...(equals === undefined ? {} : { equals }),
    });
    this.#names.add(name);
    return { query: query.with(this.#options).with(reading), isOff: mode === 'off' };
  }

  #tell(kind: QueryKind, error: unknown): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    const name = typeof kind === 'string' ? kind : kind.name;
    this.#logger?.warn(
      { event: 'cache_query', query: name, err: error },
      `cache_query query=${shorten(name)}: is not cached, since nobody can tell its answers apart`,
    );
  }
}

/** Two classes of one name would share entries. */
function notItsOwn(name: string): TidemarkError {
  const problem = name === '' ? 'A query class has no name' : `Two queries are called ${shorten(name)}`;
  return new TidemarkError(
    'INVALID_QUERY',
    `${problem}, and entries are told apart by it. Give it one of its own: forQuery(GetUser, { name: 'users.GetUser' }).`,
  );
}
