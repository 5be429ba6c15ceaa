import { shorten, TidemarkError } from '../coherence/errors.ts';
import { isWellFormed, type KeyInput, pathSegments, segment } from '../coherence/key.ts';
import { classesOf, nameOf } from './bus-message.ts';

/** A query that says what it is cached under, and by that, that it may be cached. */
export interface CacheableQuery {
  /** A path such as `'user:42'`, or segments such as `['user', 42]`: everything that the answer depends on. */
  getCacheKey(): KeyInput;
}

/** Most parameters that stand in a key as they are, and the longest of them; the rest is hashed. A key has an end. */
const MOST_READABLE = 6;
const LONGEST_NAME = 32;
const LONGEST_VALUE = 64;

export function isCacheable(query: object): query is CacheableQuery {
  return 'getCacheKey' in query && typeof query.getCacheKey === 'function';
}

/**
 * The segments of a key that a query gives.
 *
 * @throws TidemarkError `INVALID_KEY` also where a segment is `undefined`: most often a parameter that was forgotten, and then
 * whoever forgets it shares one entry
 */
export function segmentsOf(key: KeyInput, query: object): readonly unknown[] {
  if (typeof key === 'string') return pathSegments(key);
  if (Array.isArray(key) && !key.includes(undefined)) return key as readonly unknown[];
  const problem = Array.isArray(key) ? `[${key.map((it) => shorten(it)).join(', ')}]` : shorten(key);
  throw new TidemarkError(
    'INVALID_KEY',
    `The key of ${shorten(nameOf(query))} is ${problem}. Return a path or an array of segments; null where there is nothing.`,
  );
}

/**
 * The parameters of a query as segments: its own enumerable fields in the order of their names, short texts and numbers as
 * `name=value`, so that patterns find them, and a hash of all others. A field that is `undefined` is as good as absent.
 *
 * @throws TidemarkError `INVALID_KEY` for what cannot be hashed, and where the class takes arguments that no field shows: two
 * different queries could share one entry
 */
export function parametersOf(query: object): readonly string[] {
  const made = classesOf(query)[0];
  const names = Object.keys(query).filter((name) => made !== undefined || name !== 'type');
  if (made !== undefined && names.length < made.length)
    throw new TidemarkError(
      'INVALID_KEY',
      `${shorten(made.name)} takes ${made.length} arguments, and ${names.length} of its fields can be seen. Give it getCacheKey(), or a \`key\` in the options.`,
    );
  const fields = names.sort().map((name): [string, unknown] => [name, query[name as never]]);
  const known = fields.filter(([, value]) => value !== undefined);
  const readable = known.filter(isReadable).slice(0, MOST_READABLE);
  const hashed = known.filter((field) => !readable.includes(field));
  const shown = readable.map(([name, value]) => `${name}=${String(value)}`);
  // Without the escape by which a key tells hashes from texts: no parameter that is shown begins with `#`.
  return hashed.length === 0 ? shown : [...shown, segment(Object.fromEntries(hashed)).slice(1)];
}

function isReadable([name, value]: [string, unknown]): boolean {
  if (name.length > LONGEST_NAME || !/^\w+$/.test(name)) return false;
  if (typeof value === 'string') return value.length <= LONGEST_VALUE && isWellFormed(value);
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
}
