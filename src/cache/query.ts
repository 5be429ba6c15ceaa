import { TidemarkError, shorten } from '../coherence/errors.ts';
import { canonicalKey, checkKey, escapeSegment, keyOf, segment } from '../coherence/key.ts';
import { checkTag, key as keyTarget, type Target } from '../coherence/target.ts';
import type { Batch, LoadMany } from './batch.ts';
import { type Entry, NEVER } from './entry.ts';
import { callLoader, type ContextLoad, isContextLoad } from './load-context.ts';
import { type ReadOptions, type ReadSettings, readSettings } from './read-options.ts';
import type { Provenance } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';
import type { ShadowCounts } from './shadow-counts.ts';
import type { Tally } from './tally.ts';
import { checkVersion, type Migrate, migrationsOf } from './version.ts';

/**
 * The arguments as the loader has them. The compiler infers them from nothing else: a function of fewer arguments would
 * make it forget the optional ones.
 */
export type Known<A extends unknown[]> = [A][A extends unknown ? 0 : never];

/** How a query is named, loaded, tagged and kept. */
export interface QueryOptions<A extends unknown[], T> extends ReadOptions {
  /** A path such as `'fr:budgets'`; no other query's name, nor above or below one. */
  readonly name: string;
  /** Loads one value; wrapped in `withContext` it gets a {@link LoadContext} first. `undefined` is returned and not kept. */
  readonly load: ((...args: A) => T | Promise<T>) | ContextLoad<A, T>;
  /** Loads many values for `many()`, in one call. */
  readonly loadMany?: LoadMany<A, T>;
  /** The tags of a value, known from the arguments alone: the same for the same arguments, or for the same `key`. */
  readonly tags?: (...args: Known<A>) => readonly string[];
  /**
   * The segments of the key below the name, where the arguments themselves will not do. `at()` calls it with fewer
   * arguments and takes the segments before the first `undefined`.
   */
  readonly key?: (...args: Known<A>) => readonly unknown[];
  /**
   * The version of what it returns, a whole number from 1 on (default 1). Releases with different versions share a fleet: each
   * keeps its values for itself, and an invalidation reaches all of them. Raise it when the shape changes.
   */
  readonly version?: number;
  /**
   * By other version, what makes a value of this one of what that one has kept: tried, the highest first, where the store has
   * nothing of this version. It must depend on the value alone. `undefined`, or an error, which is reported: the value is loaded.
   */
  readonly migrate?: Migrate<T>;
  /**
   * What readers are given in place of an error, where no old value may stand in: as `read()` tells, `from: 'fallback'`. It is called
   * for each of them, and what it returns is kept nowhere. Not within `consistent()`: it is of no position.
   */
  readonly fallback?: (error: unknown, ...args: Known<A>) => NoInfer<T> | Promise<NoInfer<T>>;
  /** In shadow mode: whether what the cache has is as good as what was loaded. Default: whether the two are equal. */
  readonly equals?: (cached: NoInfer<T>, loaded: NoInfer<T>) => boolean;
}

const QUERY_NAMES = ['name', 'load', 'loadMany', 'tags', 'key', 'version', 'migrate', 'fallback', 'equals'];

/** A value that `consistent()` is to read. */
export interface ReadRequestOf<T> {
  readonly request: ReadRequest<T>;
}

/** A typed read-through function: call it with the loader's arguments. */
export interface Query<A extends unknown[], T> {
  (...args: A): Promise<T>;
  /** The canonical path of its name. */
  readonly path: string;
  /** The value with where it came from. */
  read(...args: A): Promise<Provenance<T>>;
  /** The value, if memory may serve it now; never loads. */
  peek(...args: A): T | undefined;
  /** Many values, in order; with `loadMany` those that are missing are loaded by one call. */
  many(args: readonly A[]): Promise<T[]>;
  /** The target of everything below these arguments: all of the query, a prefix of its arguments, or one value. */
  at(...args: Partial<A>): Target;
  /** The same query, read with other options. */
  with(options: ReadOptions): Query<A, T>;
  /** What its reads in shadow mode have found, since it was made. */
  shadow(): ShadowCounts;
  /** The value as a part of `cache.consistent(...)`. */
  request(...args: A): ReadRequestOf<T>;
}

/** What a query needs of its cache. */
export interface QueryHost {
  /** The entry in a place, if memory may serve it to this owner and nothing else is to be done. */
  warm(place: string, settings: ReadSettings, owner: Tally): Entry | undefined;
  /** The time, where a read is timed. */
  now(): number;
  /** A read that is timed was answered by an entry in memory. @param request made where a sample is taken: it takes longer than a hit */
  answered(place: string, query: string | undefined, entry: Entry, since: number, request: () => ReadRequest): void;
  /** What counts the hits of a query, and stands for it. */
  tally(path: string): Tally;
  get<T>(request: ReadRequest<T>): Promise<T>;
  read<T>(request: ReadRequest<T>): Promise<Provenance<T>>;
  peek<T>(request: ReadRequest<T>): T | undefined;
  shadow(owner: Tally): ShadowCounts;
  /** @param timeout of one load, in ms */
  batch<A extends unknown[], T>(loadMany: LoadMany<A, T>, timeout: number, size: number): Batch<A, T>;
  /** Where values of a path are kept that have a version. */
  place(path: string, version: number): string;
}

/** @throws TidemarkError `INVALID_QUERY`, `INVALID_KEY`, `INVALID_OPTION` */
export function makeQuery<A extends unknown[], T>(
  host: QueryHost,
  options: QueryOptions<A, T>,
  defaults: ReadSettings,
): Query<A, T> {
  if (typeof options.load !== 'function' && !isContextLoad(options.load)) {
    throw new TidemarkError(
      'INVALID_QUERY',
      `query ${shorten(options.name)}: \`load\` is not a function. Give the function that reads the value from its source.`,
    );
  }
  if (options.fallback !== undefined && typeof options.fallback !== 'function') {
    throw new TidemarkError(
      'INVALID_QUERY',
      `query ${shorten(options.name)}: \`fallback\` is not a function. Give one of the error and the arguments, or leave it out.`,
    );
  }
  checkVersion(options, `query ${shorten(options.name)}`);
  const path = canonicalKey(options.name);
  const settings = readSettings(options, defaults, `query ${shorten(options.name)}`, QUERY_NAMES);
  return bind(host, options, path, settings, host.tally(path));
}

function bind<A extends unknown[], T>(
  host: QueryHost,
  options: QueryOptions<A, T>,
  path: string,
  settings: ReadSettings,
  owner: Tally,
): Query<A, T> {
  const root = host.place(path, options.version ?? 1);
  const migrations = migrationsOf(options.migrate);
  const request = (args: A, place = placeFor(options, root, args)): ReadRequest<T> => ({
    key: checkKey(keyOf(place)),
    place,
    migrations,
    load: (ctx) => callLoader(options.load, ctx, args),
    settings,
    tags: () => tagsOf(options, args),
    fallback: fallbackOf(options, args),
    equals: options.equals as ReadRequest['equals'],
    owner,
  });
  const call = (...args: A): Promise<T> => {
    try {
      const since = owner.due ? host.now() : NEVER;
      const place = placeFor(options, root, args);
      const entry = host.warm(place, settings, owner);
      if (entry === undefined) return host.get(request(args, place));
      if (since > NEVER) host.answered(place, path, entry, since, () => request(args, place));
      return Promise.resolve(entry.value as T);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const peek = (...args: A): T | undefined => {
    const place = placeFor(options, root, args);
    return (host.warm(place, settings, owner)?.value as T | undefined) ?? host.peek(request(args, place));
  };
  return Object.assign(call, {
    path,
    read: async (...args: A) => host.read(request(args)),
    peek,
    many: async (list: readonly A[]) =>
      many(
        host,
        options.loadMany,
        settings,
        list.map((args) => ({ args, request: request(args) })),
      ),
    at: (...args: Partial<A>) => at(options, path, args),
    with: (more: ReadOptions) =>
      bind(host, options, path, readSettings(more, settings, `with() of query ${shorten(options.name)}`), owner),
    shadow: () => host.shadow(owner),
    request: (...args: A) => ({ request: request(args) }),
  });
}

function many<A extends unknown[], T>(
  host: QueryHost,
  loadMany: LoadMany<A, T> | undefined,
  settings: ReadSettings,
  wanted: readonly { args: A; request: ReadRequest<T> }[],
): Promise<T[]> {
  if (loadMany === undefined) return Promise.all(wanted.map(({ request }) => host.get(request)));
  const { breaker, timeout } = settings;
  // One call, so one for the breaker: its passengers are not asked again.
  const load: LoadMany<A, T> =
    breaker === undefined ? loadMany : (...trip) => breaker.run(async () => loadMany(...trip));
  const alone = breaker === undefined ? settings : { ...settings, breaker: undefined };
  const batch = host.batch(load, timeout, wanted.length);
  return Promise.all(
    wanted.map(({ args, request }) => {
      const seat = batch.seat(args);
      const { board, leave } = seat;
      const seated = { load: seat.load, alone: request.load, board, elsewhere: leave, settings: alone };
      return host.get({ ...request, ...seated }).finally(leave);
    }),
  );
}

function fallbackOf<A extends unknown[], T>(options: QueryOptions<A, T>, args: A): ReadRequest<T>['fallback'] {
  const { fallback } = options;
  return fallback === undefined ? undefined : (error) => fallback(error, ...(args as Known<A>));
}

function tagsOf<A extends unknown[], T>(options: QueryOptions<A, T>, args: A): readonly string[] {
  if (options.tags === undefined) return NO_TAGS;
  const tags = options.tags(...(args as Known<A>));
  const given: unknown = tags;
  if (!Array.isArray(given))
    throw new TidemarkError(
      'INVALID_TAG',
      `query ${shorten(options.name)}: its \`tags\` returned ${shorten(given)}, which is not an array. Return ['org:7'].`,
    );
  for (const tag of tags) checkTag(tag);
  return tags;
}

const NO_TAGS: readonly string[] = [];

/** Trailing `undefined` arguments are as good as absent. */
function placeFor<A extends unknown[], T>(options: QueryOptions<A, T>, root: string, args: A): string {
  const parts: readonly unknown[] = options.key === undefined ? args : options.key(...(args as Known<A>));
  let length = parts.length;
  while (length > 0 && parts[length - 1] === undefined) length--;
  let place = root;
  for (let i = 0; i < length; i++) {
    const part = parts[i];
    place = `${place}:${typeof part === 'string' ? escapeSegment(part) : segment(part)}`;
  }
  return place;
}

function at<A extends unknown[], T>(options: QueryOptions<A, T>, path: string, args: readonly unknown[]): Target {
  const parts = options.key === undefined || args.length === 0 ? args : keyParts(options, args);
  const end = parts.indexOf(undefined);
  const known = (end === -1 ? parts : parts.slice(0, end)).map(segment);
  return keyTarget([path, ...known].join(':'));
}

function keyParts<A extends unknown[], T>(options: QueryOptions<A, T>, args: readonly unknown[]): readonly unknown[] {
  try {
    return (options.key as (...args: unknown[]) => readonly unknown[])(...args);
  } catch (cause) {
    throw new TidemarkError(
      'INVALID_QUERY',
      `query ${shorten(options.name)}: its \`key\` failed for at(${args.map((arg) => shorten(arg, 20)).join(', ')}). Let \`key\` return undefined for arguments that are absent, or call at() with all of them.`,
      { cause },
    );
  }
}

/** The names of a cache's queries: none twice in one version, none above or below another, or their keys would mix. */
export class QueryNames {
  readonly #versions = new Map<string, Set<number>>();

  /** @throws TidemarkError `INVALID_QUERY` */
  add(name: string, version: number): void {
    const path = canonicalKey(name);
    const versions = this.#versions.get(path) ?? new Set();
    if (versions.has(version))
      throw clash(
        path,
        'is taken by another query. Make a query once and share it, or give it another name or another version',
      );
    for (const known of this.#versions.keys()) {
      if (path.startsWith(`${known}:`))
        throw clash(
          path,
          `is below the query ${shorten(known)}, so their keys could meet. Give one of them another first segment`,
        );
      if (known.startsWith(`${path}:`))
        throw clash(
          path,
          `is above the query ${shorten(known)}, so their keys could meet. Give one of them another first segment`,
        );
    }
    this.#versions.set(path, versions.add(version));
  }
}

function clash(path: string, problem: string): TidemarkError {
  return new TidemarkError('INVALID_QUERY', `The query name ${shorten(path)} ${problem}.`);
}
