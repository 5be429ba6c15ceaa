import { checkDetails } from '../coherence/cause.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause } from '../coherence/record.ts';
import { type Target, targetList } from '../coherence/target.ts';
import type { Targets } from './rule.ts';
import type { Invalidator } from './invalidator.ts';

export interface InvalidationStepOptions {
  /** What happened; for the log line and the other services. Default `{ event: 'saga' }`. */
  readonly cause?: Cause;
  /** Hears of what failed. Invalidations that wait for the log are no failure, and are in the cache's own log. */
  readonly logger?: Pick<Logger, 'error'>;
}

/**
 * A step of a saga, in the shape that most of their runners take: two functions, with the saga's context where it has one. Both
 * do the same, as often as they are called, and neither ever rejects.
 */
export interface InvalidationStep<C = void> {
  /** @returns the receipt, whose token lets other services read what the saga wrote; `undefined` where it failed, or had no target */
  readonly run: (context: C) => Promise<Receipt | undefined>;
  /** Invalidates again, for what was undone. Returns what {@link run} does. */
  readonly compensate: (context: C) => Promise<Receipt | undefined>;
}

/**
 * Makes a step that invalidates what a saga has changed outside of a transaction: in another service, say. A cache that fails
 * never fails the saga.
 *
 * Put the same step at both ends. Compensations run in reverse order, and a record counts only after what it tells of:
 * 1. The saga changes a calendar, and invalidates.
 * 2. A later step fails. The last step's compensation comes first: it invalidates, while the calendar is still changed.
 * 3. A reader loads the calendar as it is now.
 * 4. The change is undone: nothing covers what was loaded in 3.
 *
 * As the first step, its compensation comes last.
 *
 * @param targets what the saga makes stale, or a function of its context that says so when the step runs
 * @throws TidemarkError `INVALID_TARGET` or `INVALID_OPTION`, here and at once; a function's targets are checked when the step
 * runs, and then only logged
 * @example
 * const fresh = invalidationStep(cache, availability.at(staffId, day));
 * const steps = [fresh, holdInCalendar, insertAppointment, fresh];
 */
export function invalidationStep<C = void>(
  cache: Invalidator,
  targets: Targets | ((context: C) => Targets),
  options: InvalidationStepOptions = {},
): InvalidationStep<C> {
  checkKnown(options, ['cause', 'logger'], 'invalidationStep()');
  const { cause = { event: 'saga' }, logger } = options;
  checkDetails({ cause });
  const named = typeof targets === 'function' ? (context: C) => listed(targets(context)) : keep(listed(targets));
  const invalidate = async (context: C): Promise<Receipt | undefined> => {
    try {
      const list = named(context);
      return list.length === 0 ? undefined : await cache.invalidate(list, { cause });
    } catch (error) {
      tell(logger, error);
      return undefined;
    }
  };
  return { run: invalidate, compensate: invalidate };
}

function keep(list: readonly Target[]): () => readonly Target[] {
  return () => list;
}

function listed(targets: Targets): readonly Target[] {
  if (targets === undefined) return [];
  const wrong = (shown: string): string =>
    `invalidationStep: ${shown} is not a target. Use key(...), tag(...), pattern(...), everything() or query.at(...).`;
  return [...targetList(targets, wrong)];
}

function tell(logger: Pick<Logger, 'error'> | undefined, error: unknown): void {
  try {
    logger?.error({ event: 'cache_saga', err: error }, 'cache_saga: a step could not invalidate, and the saga goes on');
  } catch {
    // The logger itself fails: there is nobody left to tell, and the saga must not suffer for it.
  }
}
