import type { Target } from '../coherence/target.ts';
import { isMode, type Mode, modeSwitch, notMode } from './mode.ts';
import { type NamedRule, returned } from './rule.ts';
import { type AnyStrategy, rulesFor } from './strategy.ts';

/** What one rule says of one event. */
export interface Verdict {
  readonly strategy: string;
  /** The event, and the number of the rule where that has several: `po.received[1]`. */
  readonly rule: string;
  readonly mode: Mode;
  /** Whether its condition is met. A rule that is off, or fails, matches nothing. */
  readonly matched: boolean;
  readonly targets: readonly Target[];
  /** Why its targets are wider than they had to be. */
  readonly widened: readonly string[];
  /** What it has thrown. */
  readonly error?: unknown;
}

/** What all rules say of one event. */
export interface Judgement {
  /** Whether any strategy has rules for it. */
  readonly known: boolean;
  readonly verdicts: readonly Verdict[];
}

/** The mode of an event, and what went wrong with finding out: then it is on, so that nothing is left stale. */
interface Switched {
  readonly mode: Mode | undefined;
  readonly error?: unknown;
}

/**
 * Asks every rule of every strategy. One that throws is no reason not to ask the others: what they name is stale all the same.
 *
 * @param modeOf the switch that goes before those of the strategies
 */
export function judge(
  strategies: readonly AnyStrategy[],
  event: { readonly type: string },
  modeOf: (type: string) => unknown,
): Judgement {
  const concerned = strategies.flatMap((strategy) => {
    const rules = rulesFor(strategy, event.type);
    return rules === undefined ? [] : [{ strategy, rules }];
  });
  const switched = concerned.length === 0 ? { mode: 'off' as const } : switchedBy(modeOf, event.type);
  const verdicts = concerned.flatMap(({ strategy, rules }) => {
    const mode = switched.mode ?? (modeSwitch(strategy.modes)(event.type) as Mode | undefined) ?? 'on';
    return rules.map((rule) => verdict(strategy.name, rule, mode, event, switched.error));
  });
  return { known: concerned.length > 0, verdicts };
}

function switchedBy(modeOf: (type: string) => unknown, type: string): Switched {
  try {
    const mode = modeOf(type);
    if (mode === undefined || isMode(mode)) return { mode };
    return { mode: 'on', error: notMode(type, mode) };
  } catch (error) {
    return { mode: 'on', error };
  }
}

function verdict(strategy: string, rule: NamedRule, mode: Mode, event: unknown, failed: unknown): Verdict {
  const about = { strategy, rule: rule.name, mode };
  const none = { ...about, matched: false, targets: [] };
  if (mode === 'off') return { ...none, widened: [] };
  const widened: string[] = [];
  const widen = (why: string): void => void widened.push(why);
  try {
    if (rule.when !== undefined && !rule.when(event as never, widen)) return { ...none, widened, error: failed };
    const targets = returned(rule.name, rule.targets(event as never, widen));
    return { ...about, matched: true, targets, widened, error: failed };
  } catch (error) {
    return { ...none, widened, error };
  }
}
