import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Target } from '../coherence/target.ts';
import { BoundRules } from './bound-rules.ts';
import type { Explanation } from './explanation.ts';
import type { Handled } from './handled.ts';
import type { Invalidator } from './invalidator.ts';
import type { DomainEvent, EventOf, RuleMap } from './rule.ts';
import { checkRulesOptions, type RulesOptions } from './rules-options.ts';
import { defineRules, isStrategy, type Strategy } from './strategy.ts';

/** Domain events in, invalidations out. */
export interface Rules<E extends DomainEvent> {
  /**
   * Invalidates what the event makes stale; call it after the change is committed. Rules that fail keep no other one from being
   * asked: what those name is invalidated, and then it rejects. Handling the event again is harmless.
   *
   * @returns the receipt, or `undefined` where no rule names anything
   * @throws what a rule throws, or an AggregateError of what several throw; TidemarkError `INVALID_TARGET` when one returns
   * something else than targets; `INVALID_OPTION` for what is no event
   */
  handle(event: E): Promise<Receipt | undefined>;
  /** What handling the event would invalidate; invalidates nothing. @throws what {@link Rules.handle} throws */
  targets(event: E): readonly Target[];
  /**
   * What would come of the event: which rules match, what they name and imply, and which entries of this process are covered.
   * Invalidates nothing, and does not throw for rules that do.
   *
   * @param options `most`: how many entries are named, default 100; the others are counted
   */
  explain(event: E, options?: { readonly most?: number }): Explanation;
  /** Calls `listener` with what came of each event, or of each event of a type, until the returned function is called. */
  on(listener: (handled: Handled<E>) => void): Unsubscribe;
  on<K extends E['type']>(type: K, listener: (handled: Handled<EventOf<E, K>>) => void): Unsubscribe;
}

/**
 * Binds domain events to what they make stale, so that the code that changes data says what happened, and only this
 * table knows what was cached of it.
 *
 * @param rules a table of rules, or the strategies of several domains: an event that several know makes stale what any of them says
 * @throws TidemarkError `INVALID_OPTION` for what is no rule, and for cascades that go round in a circle
 * @example
 * const rules = createRules<DomainEvents>(cache, { 'budget.updated': (e) => budgets.at(e.orgId) });
 * await rules.handle({ type: 'budget.updated', orgId: 'ORG1' });
 */
export function createRules<E extends DomainEvent>(
  cache: Invalidator,
  rules: RuleMap<E> | readonly Strategy<E>[],
  options: RulesOptions<E> = {},
): Rules<E> {
  checkRulesOptions(options);
  return new BoundRules<E>(cache, strategiesOf(rules), options);
}

function strategiesOf<E extends DomainEvent>(rules: RuleMap<E> | readonly Strategy<E>[]): readonly Strategy<E>[] {
  if (!Array.isArray(rules)) return [defineRules<E>(rules as RuleMap<E>)];
  for (const it of rules as readonly unknown[]) {
    if (isStrategy(it)) continue;
    throw new TidemarkError('INVALID_OPTION', `rules: ${shorten(it)} is no strategy. Make it by defineRules({ ... }).`);
  }
  return rules as readonly Strategy<E>[];
}
