import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { refuseCircles } from './cascade.ts';
import type { Implication } from './implication.ts';
import { checkModes, type Modes } from './mode.ts';
import { type DomainEvent, type NamedRule, namedRules, type RuleMap } from './rule.ts';

/** Marks what this module made; registered, so that two copies of the package understand each other. */
const made: unique symbol = Symbol.for('tidemark.strategy') as never;

/** A strategy, whatever its events. */
export interface AnyStrategy {
  readonly name: string;
  readonly modes: object;
  readonly cascades: readonly Implication[];
  readonly [made]: ReadonlyMap<string, readonly NamedRule[]>;
}

/** The rules of one domain, bound to no cache; see {@link defineRules}. */
export interface Strategy<E extends DomainEvent> extends AnyStrategy {
  /** The events that it has rules for. */
  readonly events: readonly E['type'][];
  readonly rules: RuleMap<E>;
  readonly modes: Modes<E>;
}

export interface StrategyOptions<E extends DomainEvent> {
  /** For `explain`; default `'rules'`. */
  readonly name?: string;
  /** What targets imply others, whichever strategy has named them; see `implies`. */
  readonly cascades?: readonly Implication[];
  /** Events whose rules are off, or only measured. */
  readonly modes?: Modes<E>;
}

/**
 * Declares the rules of one domain. Nothing happens yet: `createRules` binds one strategy or several to a cache.
 *
 * @throws TidemarkError `INVALID_OPTION` for what is no rule, and for cascades that go round in a circle
 * @example
 * const purchasing = defineRules<PurchasingEvents>(
 *   { 'po.received': { when: (e) => e.units > 0, targets: (e) => stock.at(e.branchId) } },
 *   { name: 'purchasing' },
 * );
 */
export function defineRules<E extends DomainEvent>(rules: RuleMap<E>, options: StrategyOptions<E> = {}): Strategy<E> {
  checkKnown(options, ['name', 'cascades', 'modes'], 'defineRules()');
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
    throw new TidemarkError(
      'INVALID_OPTION',
      `rules: ${shorten(rules)} is no table. Write { 'budget.updated': (e) => budgets.at(e.orgId) }.`,
    );
  const { name = 'rules', cascades = [], modes = {} } = options;
  const given = Object.entries(rules).filter(([, it]) => it !== undefined);
  const named = new Map(given.map(([type, it]) => [type, namedRules(type, it)]));
  refuseCircles(cascades);
  checkModes(modes, new Set(named.keys()));
  const events = [...named.keys()] as E['type'][];
  return Object.freeze({ name, events, rules, cascades, modes, [made]: named });
}

export function isStrategy(value: unknown): value is AnyStrategy {
  return typeof value === 'object' && value !== null && made in value;
}

/** The rules of a strategy for a type of event; `undefined` where it knows none. */
export function rulesFor(strategy: AnyStrategy, type: string): readonly NamedRule[] | undefined {
  return strategy[made].get(type);
}
