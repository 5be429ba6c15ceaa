import { TidemarkError, shorten } from '../coherence/errors.ts';
import { canonicalKey, checkKey, escapeSegment, segment } from '../coherence/key.ts';
import { checkTag, key as keyTarget, type Target } from '../coherence/target.ts';
import type { Batch, LoadMany } from './batch.ts';
import { type ContextLoad, isContextLoad, type LoadContext } from './load-context.ts';
import { type ReadOptions, type ReadSettings, readSettings } from './read-options.ts';
import type { Provenance } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';

/** How a query is named, loaded, tagged and kept. */
export interface QueryOptions<A extends unknown[], T> extends ReadOptions {
  /** A path such as `'fr:budgets'`; no other query's name, nor above or below one. */
  readonly name: string;
  /** Loads one value; wrapped in `withContext` it gets a {@link LoadContext} first. `undefined` is returned and not kept. */
  readonly load: ((...args: A) => T | Promise<T>) | ContextLoad<A, T>;
  /** Loads many values for `many()`, in one call. */
  readonly loadMany?: LoadMany<A, T>;
  /** The tags of a value, known from the arguments alone: the same for the same arguments. */
  readonly tags?: (...args: A) => readonly string[];
  /**
   * The segments of the key below the name, where the arguments themselves will not do. `at()` calls it with fewer
   * arguments and takes the segments before the first `undefined`.
   */
  readonly key?: (...args: A) => readonly unknown[];
}

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
  /** The value as a part of `cache.consistent(...)`. */
  request(...args: A): ReadRequestOf<T>;
}

/** What a query needs of its cache. */
export interface QueryHost {
  get<T>(request: ReadRequest<T>): Promise<T>;
  read<T>(request: ReadRequest<T>): Promise<Provenance<T>>;
  peek<T>(request: ReadRequest<T>): T | undefined;
  batch<A extends unknown[], T>(loadMany: LoadMany<A, T>, size: number): Batch<A, T>;
}

/** @throws TidemarkError `INVALID_QUERY`, `INVALID_KEY`, `INVALID_OPTION` */
export function makeQuery<A extends unknown[], T>(
  host: QueryHost,
  options: QueryOptions<A, T>,
  defaults: ReadSettings,
): Query<A, T> {
  if (typeof options.load !== 'function') {
    throw new TidemarkError(
      'INVALID_QUERY',
      `query ${shorten(options.name)}: \`load\` is not a function. Give the function that reads the value from its source.`,
    );
  }
  return bind(host, options, canonicalKey(options.name), readSettings(options, defaults), {});
}

function bind<A extends unknown[], T>(
  host: QueryHost,
  options: QueryOptions<A, T>,
  path: string,
  settings: ReadSettings,
  owner: object,
): Query<A, T> {
  const request = (args: A): ReadRequest<T> => ({
    key: keyOf(options, path, args),
    load: (ctx) => load(options, ctx, args),
    settings,
    tags: () => tagsOf(options, args),
    owner,
  });
  const many = (list: readonly A[]): Promise<T[]> => {
    const { loadMany } = options;
    if (loadMany === undefined) return Promise.all(list.map((args) => host.get(request(args))));
    const batch = host.batch(loadMany, list.length);
    return Promise.all(
      list.map((args) => {
        const seat = batch.seat(args);
        return host
          .get({ ...request(args), load: seat.load, elsewhere: seat.leave, batched: true })
          .finally(seat.leave);
      }),
    );
  };
  return Object.assign((...args: A) => host.get(request(args)), {
    path,
    read: (...args: A) => host.read(request(args)),
    peek: (...args: A) => host.peek(request(args)),
    many,
    at: (...args: Partial<A>) => at(options, path, args),
    with: (more: ReadOptions) => bind(host, options, path, readSettings(more, settings), owner),
    request: (...args: A) => ({ request: request(args) }),
  });
}

function load<A extends unknown[], T>(options: QueryOptions<A, T>, ctx: LoadContext, args: A): T | Promise<T> {
  return isContextLoad<A, T>(options.load)
    ? options.load(ctx, ...args)
    : (options.load as (...args: A) => T | Promise<T>)(...args);
}

function tagsOf<A extends unknown[], T>(options: QueryOptions<A, T>, args: A): readonly string[] {
  if (options.tags === undefined) return NO_TAGS;
  const tags = options.tags(...args);
  for (const tag of tags) checkTag(tag);
  return tags;
}

const NO_TAGS: readonly string[] = [];

/** Trailing `undefined` arguments are as good as absent. */
function keyOf<A extends unknown[], T>(options: QueryOptions<A, T>, path: string, args: A): string {
  const parts: readonly unknown[] = options.key === undefined ? args : options.key(...args);
  let length = parts.length;
  while (length > 0 && parts[length - 1] === undefined) length--;
  let key = path;
  for (let i = 0; i < length; i++) key += `:${escapeSegment(segment(parts[i]))}`;
  return checkKey(key);
}

function at<A extends unknown[], T>(options: QueryOptions<A, T>, path: string, args: readonly unknown[]): Target {
  const parts = options.key === undefined || args.length === 0 ? args : keyParts(options, args);
  const end = parts.indexOf(undefined);
  const known = (end === -1 ? parts : parts.slice(0, end)).map((part) => escapeSegment(segment(part)));
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

/** The names of a cache's queries: none twice, none above or below another, or their keys would mix. */
export class QueryNames {
  readonly #paths: string[] = [];

  /** @throws TidemarkError `INVALID_QUERY` */
  add(name: string): void {
    const path = canonicalKey(name);
    for (const known of this.#paths) {
      if (known === path)
        throw clash(path, 'is taken by another query. Make a query once and share it, or give it another name');
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
    this.#paths.push(path);
  }
}

function clash(path: string, problem: string): TidemarkError {
  return new TidemarkError('INVALID_QUERY', `The query name ${shorten(path)} ${problem}.`);
}
