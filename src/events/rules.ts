import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause } from '../coherence/record.ts';
import { type Target, targetList } from '../coherence/target.ts';

/** What a domain event looks like: told apart by `type`. */
export interface DomainEvent {
  readonly type: string;
}

/** What a rule returns: one target, several, or none. */
export type Targets = Target | readonly Target[] | undefined;

/** For each event that matters, what it makes stale. An event that has no rule makes nothing stale. */
export type RuleMap<E extends DomainEvent> = {
  readonly [K in E['type']]?: (event: Extract<E, { type: K }>) => Targets;
};

export interface RulesOptions<E extends DomainEvent> {
  /** Flat fields for the log line and the record, such as `(event) => ({ org: event.orgId })`. */
  readonly fields?: (event: E) => Readonly<Record<string, string>>;
}

/** The part of a cache that rules need. */
export interface Invalidator {
  invalidate(targets: readonly Target[], options: { cause: Cause }): Promise<Receipt>;
}

/** Domain events in, invalidations out. */
export interface Rules<E extends DomainEvent> {
  /**
   * Invalidates what the event makes stale; call it after the change is committed.
   *
   * @returns the receipt, or `undefined` where no rule names anything
   * @throws what a rule throws; TidemarkError `INVALID_TARGET` when it returns something else than targets
   */
  handle(event: E): Promise<Receipt | undefined>;
  /** What the event makes stale; invalidates nothing. */
  targets(event: E): readonly Target[];
}

/**
 * Binds domain events to what they make stale, so that the code that changes data says what happened, and only this
 * table knows what was cached of it.
 *
 * @example
 * const rules = createRules<DomainEvents>(cache, { 'budget.updated': (e) => budgets.at(e.orgId) });
 * await rules.handle({ type: 'budget.updated', orgId: 'ORG1' });
 */
export function createRules<E extends DomainEvent>(
  cache: Invalidator,
  rules: RuleMap<E>,
  options: RulesOptions<E> = {},
): Rules<E> {
  for (const [type, rule] of Object.entries(rules)) {
    if (rule === undefined || typeof rule === 'function') continue;
    throw new TidemarkError(
      'INVALID_OPTION',
      `rules: ${shorten(type)} is not a function. Give a function from the event to its targets.`,
    );
  }
  const targets = (event: E): readonly Target[] => {
    const rule = Object.hasOwn(rules, event.type)
      ? (rules[event.type as E['type']] as ((event: E) => Targets) | undefined)
      : undefined;
    return rule === undefined ? [] : listed(event.type, rule(event));
  };
  return {
    targets,
    async handle(event) {
      const list = targets(event);
      if (list.length === 0) return undefined;
      const fields = options.fields?.(event);
      return cache.invalidate(list, { cause: { event: event.type, ...(fields === undefined ? {} : { fields }) } });
    },
  };
}

function listed(type: string, targets: Targets): readonly Target[] {
  if (targets === undefined) return [];
  return targetList(
    targets,
    (shown) =>
      `The rule for ${shorten(type)} returned ${shown}, which is not a target. Return key(...), tag(...), pattern(...), everything() or query.at(...).`,
  );
}
