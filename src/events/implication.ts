import { shorten, TidemarkError } from '../coherence/errors.ts';
import { segment } from '../coherence/key.ts';
import type { Query } from '../cache/query.ts';
import { parseTemplate, type Template } from './template.ts';

/** "What covers this covers that, too"; see {@link implies}. */
export interface Implication {
  readonly from: Template;
  readonly to: readonly Template[];
}

/** An argument of the query that implies: it can only be handed on. */
export interface Argument<T> {
  readonly [argument]: T;
}

declare const argument: unique symbol;

/** The arguments of a query, to be handed on. */
export type Arguments<A extends readonly unknown[]> = { [I in keyof A]-?: Argument<Exclude<A[I], undefined>> };

/** The first arguments of the query that is implied: handed on, or given. */
export type Implied<B extends readonly unknown[]> = { [I in keyof B]?: Argument<Exclude<B[I], undefined>> | B[I] };

/**
 * Says once that whoever invalidates the one has to invalidate the other: a feed shows its user's name, so `user` implies `feed`
 * of the user. Rules then name what has changed, and nothing that was made of it.
 *
 * An implication applies to what a rule names, and to what that implies in turn. It applies to parts of keys, too: all users
 * imply all feeds, and so does a pattern that may match a user. A tag implies what is said of that tag.
 *
 * @param from a query
 * @param to the query that is stale with it
 * @param args which of its arguments select what is stale: called once, now, with stand-ins
 * @throws TidemarkError `INVALID_OPTION` for arguments that are not handed on as they are
 * @example
 * implies(users, feed, (userId) => [userId])
 * implies('tag org:{org}', ['fr:overview:{org}', 'fr:budgets:{org}']) // the same in writing, for whatever keys and tags
 */
export function implies<A extends unknown[], B extends unknown[]>(
  from: Query<A, unknown>,
  to: Query<B, unknown>,
  args: (...args: Arguments<A>) => Readonly<Implied<B>>,
): Implication;
/**
 * The same by templates; each name in `to` is one of those in `from`, where a name stands for a whole segment of a key, or once in a tag.
 *
 * @throws TidemarkError `INVALID_OPTION` for what is no template, and for names that `from` does not have
 */
export function implies(from: string, to: string | readonly string[]): Implication;
export function implies(
  from: Pick<Query<never[], unknown>, 'path'> | string,
  to: Pick<Query<never[], unknown>, 'path'> | string | readonly string[],
  args?: (...args: never[]) => unknown,
): Implication {
  if (typeof from === 'string') return inWriting(from, typeof to === 'string' ? [to] : (to as readonly string[]));
  return ofQueries(from.path, (to as { readonly path: string }).path, args as (...args: StandIn[]) => unknown);
}

/** @throws TidemarkError `INVALID_OPTION` */
function inWriting(source: string, implied: readonly string[]): Implication {
  const from = parseTemplate(source);
  const whole = from.segments.every((pieces) => pieces.length <= 1);
  const once = from.kind === 'tag' && from.names.length <= 1;
  if (!(from.kind === 'key' ? whole : once))
    throw new TidemarkError(
      'INVALID_OPTION',
      `implies: ${shorten(source)} cannot be told apart from others. Give a key whose names are whole segments, such as 'user:{userId}', or a tag with one name.`,
    );
  const to = implied.map(parseTemplate);
  for (const { text, names } of to)
    for (const name of names) {
      if (from.names.includes(name)) continue;
      throw new TidemarkError(
        'INVALID_OPTION',
        `implies: ${shorten(text)} names ${name}, which ${shorten(source)} does not have. Both have to name it.`,
      );
    }
  return Object.freeze({ from, to });
}

function ofQueries(source: string, implied: string, args: (...args: StandIn[]) => unknown): Implication {
  if (typeof args !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `implies: ${shorten(args)} says not which arguments of ${shorten(source)} to hand on. Write (userId) => [userId].`,
    );
  const standIns = Array.from({ length: MAX_ARGUMENTS }, (_, i) => new StandIn(i + 1));
  const handedOn: unknown = args(...standIns);
  if (!Array.isArray(handedOn))
    throw new TidemarkError(
      'INVALID_OPTION',
      `implies: ${shorten(handedOn)} is no list of arguments for ${shorten(implied)}. Write (userId) => [userId].`,
    );
  const used = handedOn.map((it) => (it instanceof StandIn ? it.number : 0));
  const names = standIns.slice(0, Math.max(0, ...used)).map((it) => it.name);
  const parts = handedOn.map((it: unknown) => (it instanceof StandIn ? it.name : braceless(segment(it))));
  return inWriting(`key ${[braceless(source), ...names].join(':')}`, [
    `key ${[braceless(implied), ...parts].join(':')}`,
  ]);
}

/** The canonical form of a key has at most so many segments; the query's name is one of them. */
const MAX_ARGUMENTS = 15;

/** Takes the place of an argument while it is seen where it goes. Whoever looks into it finds nothing, and is told so. */
class StandIn {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  get name(): string {
    return `{${this.number}}`;
  }

  [Symbol.toPrimitive](): never {
    throw new TidemarkError(
      'INVALID_OPTION',
      'implies: an argument can only be handed on as it is. Where something has to be made of it, let the rule name both targets.',
    );
  }
}

function braceless(path: string): string {
  return path.replace(/[{}]/g, '\\$&');
}
