import { createHash } from 'node:crypto';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';
import { Cascade, type Step, targetName } from './cascade.ts';
import type { Explanation } from './explanation.ts';
import { type Handled, HandledListeners } from './handled.ts';
import type { Invalidator } from './invalidator.ts';
import { judge, type Judgement, type Verdict } from './judgement.ts';
import { checkModes, modeSwitch } from './mode.ts';
import type { DomainEvent } from './rule.ts';
import type { RulesOptions } from './rules-options.ts';
import type { Strategy } from './strategy.ts';
import { UnknownTypes } from './unknown-types.ts';

/** What a judgement comes to. */
interface Upshot extends Judgement {
  readonly targets: readonly Target[];
  readonly shadowed: readonly Target[];
  readonly implied: readonly Step[];
}

/** Strategies bound to a cache; what its methods promise is said of `Rules`. */
export class BoundRules<E extends DomainEvent> {
  readonly #cache: Invalidator;
  readonly #strategies: readonly Strategy<E>[];
  readonly #options: RulesOptions<E>;
  readonly #cascade: Cascade;
  readonly #modeOf: (type: string) => unknown;
  readonly #listeners: HandledListeners<E>;
  readonly #unknown = new UnknownTypes();

  constructor(cache: Invalidator, strategies: readonly Strategy<E>[], options: RulesOptions<E>) {
    const { cascades = [], modes = {}, logger } = options;
    this.#cache = cache;
    this.#strategies = strategies;
    this.#options = options;
    this.#cascade = new Cascade([...cascades, ...strategies.flatMap((it) => it.cascades)]);
    if (typeof modes !== 'function') checkModes(modes, new Set(strategies.flatMap((it) => it.events)));
    this.#modeOf = modeSwitch(modes);
    this.#listeners = new HandledListeners(logger);
  }

  async handle(event: E): Promise<Receipt | undefined> {
    const upshot = this.#judge(event);
    this.#report(event, upshot);
    const errors = thrown(upshot.verdicts);
    const { targets } = upshot;
    let receipt: Receipt | undefined;
    try {
      if (targets.length > 0) receipt = await this.#cache.invalidate(targets, this.#details(event, targets, errors));
    } catch (error) {
      errors.push(error);
    }
    if (receipt !== undefined) this.#listeners.tell({ outcome: 'invalidated', event, targets, receipt });
    for (const error of errors) this.#listeners.tell({ outcome: 'failed', event, error });
    if (errors.length > 0) throw together(event.type, errors);
    return receipt;
  }

  targets(event: E): readonly Target[] {
    const { targets, verdicts } = this.#judge(event);
    const errors = thrown(verdicts);
    if (errors.length > 0) throw together(event.type, errors);
    return targets;
  }

  explain(event: E, options: { readonly most?: number } = {}): Explanation {
    checkKnown(options, ['most'], 'explain()');
    const { known, verdicts, targets, shadowed, implied } = this.#judge(event);
    const entries = this.#cache.wouldCover?.(targets, options);
    return { known, rules: verdicts, implied, targets, shadowed, entries };
  }

  on(...args: [(handled: Handled<E>) => void] | [string, (handled: never) => void]): Unsubscribe {
    const [type, listener] = args.length === 1 ? [undefined, args[0]] : args;
    if (typeof listener !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `on(): ${shorten(listener)} is no function. Give one: it is called with what came of each event.`,
      );
    return this.#listeners.add((handled) => {
      const wanted = type === undefined || handled.event.type === type;
      return wanted ? (listener as (it: Handled<E>) => void)(handled) : undefined;
    });
  }

  #judge(event: E): Upshot {
    const type: unknown = event?.type;
    if (typeof type !== 'string')
      throw new TidemarkError(
        'INVALID_OPTION',
        `event: ${shorten(event)} has no type. Give { type: 'budget.updated', ... }.`,
      );
    const judgement = judge(this.#strategies, event, this.#modeOf);
    const named = (mode: Verdict['mode']): Target[] =>
      judgement.verdicts.flatMap((it) => (it.mode === mode ? it.targets : []));
    const live = named('on');
    const implied = this.#cascade.steps(live);
    const targets = once([...live, ...implied.map((it) => it.implied)]);
    const shadow = named('shadow');
    const shadowed = once([...shadow, ...this.#cascade.steps(shadow).map((it) => it.implied)], targets);
    return { ...judgement, targets, shadowed, implied };
  }

  /** All that came of an event but its invalidation, which is not made yet. */
  #report(event: E, { known, verdicts, targets, shadowed }: Upshot): void {
    const tell = this.#listeners;
    if (!known) {
      if (this.#unknown.first(event.type)) tell.tell({ outcome: 'unknown', event });
      return;
    }
    const why = verdicts.flatMap((it) => it.widened);
    if (why.length > 0) tell.tell({ outcome: 'widened', event, why });
    for (const { mode, error } of verdicts)
      if (mode === 'shadow' && error !== undefined) tell.tell({ outcome: 'failed', event, error });
    if (shadowed.length > 0) {
      const covered = (): number | undefined => this.#cache.wouldCover?.(shadowed, { most: 0 }).more;
      tell.tell({ outcome: 'shadowed', event, targets: shadowed, covered });
    }
    if (verdicts.length > 0 && verdicts.every((it) => it.mode === 'off')) tell.tell({ outcome: 'off', event });
    else if (targets.length === 0 && shadowed.length === 0) tell.tell({ outcome: 'nothing', event });
  }

  /** What the record says of the event. Mistakes in that are told, and keep nothing from being invalidated. */
  #details(event: E, targets: readonly Target[], errors: unknown[]): { cause: Cause; id?: string } {
    const { fields, id } = this.#options;
    const attempt = <T>(ask: ((event: E) => T) | undefined): T | undefined => {
      try {
        return ask?.(event);
      } catch (error) {
        errors.push(error);
        return undefined;
      }
    };
    const given = attempt(fields);
    const eventId = attempt(id);
    return {
      cause: { event: event.type, ...(given === undefined ? {} : { fields: given }) },
      ...(eventId === undefined ? {} : { id: messageId(eventId, event.type, targets) }),
    };
  }
}

/** Of the event and of what its record covers: two records with one id say the same, whoever has made them. */
function messageId(eventId: string, type: string, targets: readonly Target[]): string {
  const content = JSON.stringify([eventId, type, ...targets.map(targetName)]);
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

function once(targets: readonly Target[], but: readonly Target[] = []): readonly Target[] {
  const known = new Set(but.map(targetName));
  return targets.filter((it) => {
    const name = targetName(it);
    return !known.has(name) && known.add(name);
  });
}

/** What rules that are on have thrown. One of a shadow is only told. */
function thrown(verdicts: readonly Verdict[]): unknown[] {
  return [...new Set(verdicts.flatMap(({ mode, error }) => (mode === 'on' && error !== undefined ? [error] : [])))];
}

function together(type: string, errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  return new AggregateError(
    errors,
    `${errors.length} rules failed for ${shorten(type)}. What others named is invalidated.`,
  );
}
