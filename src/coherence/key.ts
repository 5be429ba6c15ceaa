import { createHash } from 'node:crypto';
import { TidemarkError, shorten } from './errors.ts';

/** What one level of a hierarchical key is made of; other values are hashed, see {@link segment}. */
export type Segment = string | number | boolean | bigint;

/** A key as users write it: a path such as `'user:42'`, or its segments, such as `['user', 42]`. */
export type KeyInput = string | readonly unknown[];

/** Longest key in its canonical form, in UTF-16 code units. */
const MAX_KEY_LENGTH = 1024;

/** Most segments a key may have. Each level is one more label to check. */
const MAX_KEY_DEPTH = 16;

/** Deepest nesting of an object that is hashed as a segment. A cycle has no end, a stranger's request body may have a far one. */
const MAX_NESTING = 100;

/**
 * The canonical form of a key: segments joined by `:`, with `:` and `\` inside a segment escaped by `\`. `'a:b:c'` and
 * `['a', 'b', 'c']` are the same key; the canonical form of a canonical key is itself.
 *
 * @throws TidemarkError `INVALID_KEY` when it is empty, over {@link MAX_KEY_LENGTH} or deeper than {@link MAX_KEY_DEPTH}
 */
export function canonicalKey(input: KeyInput): string {
  if (typeof input === 'string') return checkKey(input.includes('\\') ? canonicalPath(input) : input);
  if (Array.isArray(input)) return checkKey(input.map(segment).join(':'));
  throw invalid(input, 'is neither a string nor an array of segments', "Write 'user:42' or ['user', 42]");
}

/** In a path `\` makes the next `:`, `\` or `#` literal; before anything else it stands for itself. */
function canonicalPath(path: string): string {
  return path.replace(/\\([:\\#])|\\/g, (escape, escaped?: string) => (escaped === undefined ? '\\\\' : escape));
}

/** A text as one segment of a canonical key. */
export function escapeSegment(text: string): string {
  return text.includes(':') || text.includes('\\') ? text.replace(/[:\\]/g, '\\$&') : text;
}

/** The segments of a path, without their escapes. @throws TidemarkError `INVALID_KEY` */
export function pathSegments(path: string): string[] {
  const key = canonicalKey(path);
  let from = 0;
  return [...ancestors(key), key].map(({ length }) => {
    const part = key.slice(from, length);
    from = length + 1;
    return part.replace(/\\(.)/gs, '$1');
  });
}

/** The keys above a canonical key, outermost first: `a:b:c` has `a` and `a:b`. */
export function ancestors(key: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < key.length; i++) {
    if (key[i] === '\\') i++;
    else if (key[i] === ':') found.push(key.slice(0, i));
  }
  return found;
}

/**
 * Where the value of a key is kept, in every tier: under the key itself, or, in a version of its query other than the first,
 * under `\v<version>:<key>`. No canonical key begins like that, so no two versions and no other key ever meet; what an entry
 * depends on stays that of its key.
 *
 * @param version a whole number from 1 on
 * @example placeOf('fr:budgets:ORG1', 2) // '\v2:fr:budgets:ORG1'
 */
export function placeOf(key: string, version: number): string {
  return version === 1 ? key : `\\v${version}:${key}`;
}

/** The canonical key of a place. */
export function keyOf(place: string): string {
  return isVersioned(place) ? place.slice(place.indexOf(':') + 1) : place;
}

/** Whether a text is the place of a version other than the first: never a canonical key. */
export function isVersioned(place: string): boolean {
  return place.charCodeAt(0) === BACKSLASH && place.charCodeAt(1) === V;
}

const BACKSLASH = 0x5c;
const V = 0x76;

/** A canonical key, or the place of one, without its escapes: what globs are matched against, and what people read. */
export function plainKey(place: string): string {
  return place.includes('\\') ? keyOf(place).replace(/\\(.)/gs, '$1') : place;
}

/**
 * One argument as one segment of a canonical key: strings, numbers, booleans and bigints as they are; anything else by `\#`
 * and 128 bits of the SHA-256 of its canonical JSON, in which object keys are sorted. No text can pass for a hash: in a text
 * the `\` is escaped.
 *
 * @throws TidemarkError `INVALID_KEY` for what canonical JSON cannot tell apart (functions, symbols, maps, sets, cycles)
 */
export function segment(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return escapeSegment(value);
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return '\\#undefined';
    default:
      return value === null
        ? '\\#null'
        : `\\#${createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22)}`;
  }
}

/**
 * JSON in which object keys are sorted, and what JSON cannot tell apart is.
 *
 * @throws TidemarkError `INVALID_KEY` for what it cannot tell apart either
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return JSON.stringify(value);
  if (typeof value === 'object' && depth < MAX_NESTING) {
    if (hasToJson(value)) return `${typeName(value)}(${canonicalJson(value.toJSON(), depth + 1)})`;
    if (Array.isArray(value)) {
      // Unlike `map`, `from` visits holes: a list with one is not the empty list.
      return `[${Array.from(value, (item) => canonicalJson(item, depth + 1)).join(',')}]`;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      const fields = value as Record<string, unknown>;
      const named = Object.keys(fields)
        .sort()
        .filter((name) => fields[name] !== undefined);
      return `{${named.map((name) => `${JSON.stringify(name)}:${canonicalJson(fields[name], depth + 1)}`).join(',')}}`;
    }
  }
  throw invalid(
    value,
    'has no canonical JSON, so two different values could share one key',
    'Give the query its own `key` that turns its arguments into strings and numbers',
  );
}

/** What tells a date from a text that looks like it; an object without a prototype has no constructor. */
function typeName(value: object): string {
  const made: unknown = value.constructor;
  return typeof made === 'function' ? made.name : '';
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** @throws TidemarkError `INVALID_KEY` when a canonical key is empty, too long, too deep or not well-formed */
export function checkKey(key: string): string {
  if (key === '') throw invalid(key, 'is empty', 'Give it at least one character');
  if (key.length > MAX_KEY_LENGTH) {
    throw invalid(
      key,
      `is longer than ${MAX_KEY_LENGTH} characters`,
      'Hash the long part, or pass it as an object argument, which is hashed',
    );
  }
  // All such halves become U+FFFD in UTF-8: two keys would share one entry of a store.
  if (!isWellFormed(key))
    throw invalid(key, 'holds half of a surrogate pair', 'Cut texts between characters, or encode them');
  let depth = 1;
  for (let at = key.indexOf(':'); at !== -1; at = key.indexOf(':', at + 1)) depth++;
  if (depth > MAX_KEY_DEPTH && ancestors(key).length + 1 > MAX_KEY_DEPTH) {
    throw invalid(key, `is deeper than ${MAX_KEY_DEPTH} segments`, 'Join the lower levels into one segment');
  }
  return key;
}

/** Whether UTF-8 can carry a text unchanged. (Every supported Node has the method; the compiler's library is older.) */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function invalid(value: unknown, problem: string, cure: string): TidemarkError {
  return new TidemarkError('INVALID_KEY', `The key ${shorten(value)} ${problem}. ${cure}.`);
}
