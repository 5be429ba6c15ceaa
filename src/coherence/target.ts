import { TidemarkError, shorten } from './errors.ts';
import { canonicalKey, isWellFormed, type KeyInput, segment } from './key.ts';

/** Longest tag, in UTF-16 code units. */
const MAX_TAG_LENGTH = 256;

/** Marks what this module made; registered, so that two copies of the package understand each other. */
const made: unique symbol = Symbol.for('tidemark.target') as never;

/**
 * What an invalidation covers. Made by {@link key}, {@link tag}, {@link pattern} and {@link everything} only, so that a
 * bare string is never mistaken for one.
 */
export type Target = { readonly [made]: true } & Unmade;

type Unmade =
  | { readonly kind: 'key'; readonly key: string; readonly literal?: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'everything' };

/**
 * A key and everything below it.
 *
 * One argument is a key as in `getOrSet`: a path (`'user:42'`) or an array of segments. Of several arguments each is one
 * segment, `key('user', 42)`, but for one thing: a `:` in the first may be meant either way, as in `key('fr:budgets', 'ORG1')`
 * for what a query of that name keeps. Then both readings are covered: a load too many, instead of a value that stays.
 *
 * @throws TidemarkError `INVALID_KEY`
 */
export function key(first: KeyInput | number | boolean | bigint, ...rest: unknown[]): Target {
  if (typeof first === 'string' && rest.length === 0) return keyOf(canonicalKey(first));
  const segments: readonly unknown[] = rest.length === 0 && Array.isArray(first) ? first : [first, ...rest];
  const literal = canonicalKey(segments);
  const [head, ...below] = segments;
  if (typeof head !== 'string' || below.length === 0 || !head.includes(':')) return keyOf(literal);
  const path = canonicalKey([head, ...below.map(segment)].join(':'));
  return Object.freeze({ [made]: true as const, kind: 'key', key: path, literal });
}

// Each kind is one literal: a copy with a mark added to it costs twenty times as much.
function keyOf(canonical: string): Target {
  return Object.freeze({ [made]: true as const, kind: 'key', key: canonical });
}

/**
 * Every entry that carries this tag.
 *
 * @throws TidemarkError `INVALID_TAG` when it is empty, over {@link MAX_TAG_LENGTH} or holds control characters
 */
export function tag(name: string): Target {
  return Object.freeze({ [made]: true as const, kind: 'tag', tag: checkTag(name) });
}

/**
 * Every entry whose whole key matches a glob: `*` is any run of characters, `:` included; `?` is one character; `\`
 * makes the next character literal. Globs never match tags. A pattern stays in the list of bans until the log's
 * `maxLife` has passed; a prefix is better given as a {@link key}, which costs nothing to keep.
 *
 * @throws TidemarkError `INVALID_PATTERN` when it is empty, too long, or matches every key: say {@link everything}
 */
export function pattern(glob: string): Target {
  return Object.freeze({ [made]: true as const, kind: 'pattern', pattern: checkPattern(glob) });
}

/** Every entry there is. */
export function everything(): Target {
  return Object.freeze({ [made]: true as const, kind: 'everything' });
}

/** Whether a value was made by one of the functions above. */
export function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null && made in value;
}

/**
 * One target or several, as a list.
 *
 * @param wrong the message for what is none, from its short form
 * @throws TidemarkError `INVALID_TARGET`
 */
export function targetList(given: unknown, wrong: (shown: string) => string): readonly Target[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const it of list) if (!isTarget(it)) throw new TidemarkError('INVALID_TARGET', wrong(shorten(it)));
  return list as readonly Target[];
}

/** A target as people read it in logs and messages: `key user:42`, `tag org:7`, `pattern a:*`, `everything`. */
export function describeTarget(it: Target): string {
  switch (it.kind) {
    case 'key':
      return `key ${it.key}`;
    case 'tag':
      return `tag ${it.tag}`;
    case 'pattern':
      return `pattern ${it.pattern}`;
    case 'everything':
      return 'everything';
    default:
      return it satisfies never;
  }
}

/** @throws TidemarkError `INVALID_TAG` */
export function checkTag(name: string): string {
  if (typeof name === 'string' && name.length > 0 && name.length <= MAX_TAG_LENGTH && !hasControl(name)) return name;
  throw new TidemarkError(
    'INVALID_TAG',
    `The tag ${shorten(name)} is not a text of 1 to ${MAX_TAG_LENGTH} characters without control characters. Strip them, or shorten it.`,
  );
}

function checkPattern(glob: string): string {
  const text = typeof glob === 'string' && glob.length > 0 && glob.length <= MAX_TAG_LENGTH && !hasControl(glob);
  if (!text || !isWellFormed(glob)) {
    throw new TidemarkError(
      'INVALID_PATTERN',
      `The pattern ${shorten(glob)} is not a text of 1 to ${MAX_TAG_LENGTH} characters without control characters or halves of surrogate pairs. Correct or shorten it.`,
    );
  }
  if (/^(\*+\??\**|\?\*+)$/.test(glob)) {
    throw new TidemarkError(
      'INVALID_PATTERN',
      `The pattern ${shorten(glob)} matches every key. If that is meant, use everything().`,
    );
  }
  return glob;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}
