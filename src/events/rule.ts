import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { type Target, targetList } from '../coherence/target.ts';

/** What a domain event looks like: told apart by `type`. */
export interface DomainEvent {
  readonly type: string;
}

/** The events of a domain that may have this type. */
export type EventOf<E extends DomainEvent, K extends E['type']> = E extends { readonly type: infer T }
  ? K extends T
    ? E
    : never
  : never;

/** What a rule returns: one target, several, or none. */
export type Targets = Target | readonly Target[] | undefined;

/**
 * From an event to what it makes stale. Must not wait for anything.
 *
 * @param widened for a rule that cannot tell exactly: it returns wider targets, and says here why
 */
export type RuleFunction<E> = (event: E, widened: (why: string) => void) => Targets;

/** A rule with a condition: where that is not met, the event makes nothing of it stale. */
export interface ConditionalRule<E> {
  readonly when?: (event: E, widened: (why: string) => void) => boolean;
  readonly targets: RuleFunction<E>;
}

export type Rule<E> = RuleFunction<E> | ConditionalRule<E>;

/**
 * For each event that matters, its rule, or several, each with its own condition. An event with an empty list is known, and makes
 * nothing stale.
 */
export type RuleMap<E extends DomainEvent> = {
  readonly [K in E['type']]?: Rule<EventOf<E, K>> | readonly Rule<EventOf<E, K>>[];
};

/** A rule that was checked. */
export interface NamedRule {
  /** Its event, and its number where that has several: `po.received[1]`. */
  readonly name: string;
  readonly when: ((event: never, widened: (why: string) => void) => boolean) | undefined;
  readonly targets: RuleFunction<never>;
}

/** @throws TidemarkError `INVALID_OPTION`, naming the rule and the cure */
export function namedRules(type: string, given: unknown): readonly NamedRule[] {
  if (!Array.isArray(given)) return [namedRule(type, shorten(type), given)];
  return given.map((it: unknown, i) => namedRule(`${type}[${i}]`, `${shorten(type)}[${i}]`, it));
}

function namedRule(name: string, shown: string, given: unknown): NamedRule {
  if (typeof given === 'function') return { name, when: undefined, targets: given as RuleFunction<never> };
  const { when, targets } = (given ?? {}) as Partial<NamedRule>;
  if (typeof targets !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `rules: ${shown} is not a function. Give a function from the event to its targets, or { when, targets }.`,
    );
  checkKnown(given as object, ['when', 'targets'], `rules: ${shown}`);
  if (when !== undefined && typeof when !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `rules: \`when\` of ${shown} is not a function. Give a function from the event to true or false.`,
    );
  return { name, when, targets };
}

/** What a rule has returned, as a list. @throws TidemarkError `INVALID_TARGET` */
export function returned(rule: string, targets: Targets): readonly Target[] {
  if (targets === undefined) return [];
  return targetList(
    targets,
    (shown) =>
      `The rule for ${shorten(rule)} returned ${shown}, which is not a target. Return key(...), tag(...), pattern(...), everything() or query.at(...).`,
  );
}
