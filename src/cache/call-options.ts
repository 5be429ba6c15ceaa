import { shorten, TidemarkError } from '../coherence/errors.ts';
import { type Position, parseToken, type Token } from '../coherence/position.ts';
import type { Cause, DraftDetails, Lsn } from '../coherence/record.ts';
import { checkTag, isTarget, type Target } from '../coherence/target.ts';
import type { ReadOptions } from './read-options.ts';
import type { CommittedOptions } from './strict-write.ts';

/** Options of one `getOrSet`. */
export interface GetOptions extends ReadOptions {
  readonly tags?: readonly string[];
}

/** Options of `set`. */
export interface SetOptions extends Pick<ReadOptions, 'ttl' | 'grace'> {
  /** From `cache.mark()`, taken before the value was read from its source. */
  readonly mark: Token;
  readonly tags?: readonly string[];
}

/** Options of `invalidate`. */
export interface InvalidateOptions {
  /**
   * The message id of the record: 32 lower-case hexadecimal digits, not all zero; default one of this node's own. Whoever may
   * have to append the same again, such as an outbox, gives both the same id, so that readers of the log can tell.
   */
  readonly id?: string;
  /** What happened; for the log line and the other services. */
  readonly cause?: Cause;
  /** An upper bound of the database's log position, read after the commit; for readers of replicas. */
  readonly lsn?: Lsn;
  /**
   * From `cache.mark()`, taken before `lsn` was read. Where a commit had no known bound, readers of replicas stay with the
   * primary until a bound says that it was read after that commit's record was applied.
   */
  readonly lsnMark?: Token;
  /**
   * `'here'` (default): resolves when this node serves nothing older. `'everywhere'`: when no node of the fleet does, which is
   * as soon as all have confirmed it, and at the latest when those that have not must have stopped serving (`maxLag`, and the
   * longest `whenDetached`); see `everywhere` in the receipt.
   */
  readonly acknowledged?: 'here' | 'everywhere';
}

/** The mark of a node that has never reached its log: nothing can be kept under it. */
export const NO_MARK: Token = '1.none';

const NO_TAGS: readonly string[] = [];

/** @throws TidemarkError `INVALID_TAG` */
export function checkTags(tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  const given: unknown = tags;
  if (!Array.isArray(given))
    throw new TidemarkError('INVALID_TAG', `tags: ${shorten(tags)} is not an array. Write tags: ['org:7'].`);
  for (const tag of tags) checkTag(tag);
  return tags;
}

/** @throws TidemarkError `INVALID_TARGET` for none, and for what is no target */
export function checkTargets(targets: readonly Target[]): void {
  if (targets.length === 0)
    throw new TidemarkError('INVALID_TARGET', 'invalidate() was given nothing. Give it targets, or everything().');
  for (const it of targets) {
    if (isTarget(it)) continue;
    throw new TidemarkError(
      'INVALID_TARGET',
      `${shorten(it)} is not a target. Use key('user', 42), tag('org:7'), pattern('a:*'), everything(), or query.at(...).`,
    );
  }
}

export function notTargets(method: string, targets: unknown): TidemarkError {
  return new TidemarkError(
    'INVALID_TARGET',
    `${method}() was given ${shorten(targets)}. Give it an array of targets, such as [key('user', 42)].`,
  );
}

/** @throws TidemarkError `INVALID_OPTION` or `INVALID_TOKEN` for a mark that is none */
export function recordDetails({ id, cause, lsn, lsnMark }: CommittedOptions): DraftDetails {
  const after = lsnMark === undefined ? undefined : positionOfMark(lsnMark);
  return { id, cause, lsn, lsnAfter: after && { epoch: after.epoch, number: after.mark } };
}

/**
 * The position that a mark names; `undefined` for that of a node which was nowhere.
 *
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_TOKEN` for a mark that is none
 */
export function positionOfMark(mark: Token | undefined): { epoch: string; mark: number } | undefined {
  if (mark === NO_MARK) return undefined;
  const position: Position | undefined = typeof mark === 'string' ? parseToken(mark) : undefined;
  if (position !== undefined) return { epoch: position.epoch, mark: position.number };
  throw new TidemarkError(
    'INVALID_OPTION',
    'mark: set() needs the position that the value was read after. Take it first: const mark = cache.mark(); const user = await load(); cache.set(key, user, { mark }).',
  );
}
