import type { Unsubscribe } from '../coherence/log.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Receipt } from '../coherence/receipt.ts';
import { describeTarget, type Target } from '../coherence/target.ts';

/** What came of an event that rules have handled. An event may come to several of these. */
export type Handled<E> =
  | {
      readonly outcome: 'invalidated';
      readonly event: E;
      readonly targets: readonly Target[];
      readonly receipt: Receipt;
    }
  /** What rules in shadow would have invalidated besides. */
  | {
      readonly outcome: 'shadowed';
      readonly event: E;
      readonly targets: readonly Target[];
      /**
       * How many entries of this node that covers now; `undefined` where the cache cannot tell. It looks at every entry, so with
       * many of both ask for some events only.
       */
      readonly covered: () => number | undefined;
    }
  /** No rule named anything. */
  | { readonly outcome: 'nothing'; readonly event: E }
  /** Its rules are switched off. */
  | { readonly outcome: 'off'; readonly event: E }
  /** No strategy knows its type. Told once of each type. */
  | { readonly outcome: 'unknown'; readonly event: E }
  /** A rule could not tell exactly, and has named more. */
  | { readonly outcome: 'widened'; readonly event: E; readonly why: readonly string[] }
  /** What went wrong, in a rule or with the cache. What other rules have named was invalidated all the same. */
  | { readonly outcome: 'failed'; readonly event: E; readonly error: unknown };

/** Writes to the logger what people have to know; invalidations are in the cache's own log. */
function rulesJournal(logger: Logger): (handled: Handled<{ readonly type: string }>) => void {
  return (handled) => {
    const { outcome } = handled;
    const fields = { event: 'cache_rules', outcome, event_type: handled.event.type };
    const say = `cache_rules: ${handled.event.type}`;
    switch (outcome) {
      case 'unknown':
        return logger.warn(fields, `${say} is known to no rule, and makes nothing stale`);
      case 'widened':
        return logger.warn({ ...fields, why: handled.why }, `${say} invalidates more: ${handled.why.join('; ')}`);
      case 'shadowed': {
        const targets = handled.targets.map(describeTarget);
        return logger.info({ ...fields, targets }, `${say} would invalidate ${targets.join(', ')}`);
      }
      case 'failed':
        return logger.error({ ...fields, err: handled.error }, `${say} could not be handled`);
      case 'invalidated':
      case 'nothing':
      case 'off':
        return undefined;
      default:
        return handled satisfies never;
    }
  };
}

/** Tells listeners what came of events. One that throws harms neither the handling nor the others. */
export class HandledListeners<E extends { readonly type: string }> {
  readonly #listeners = new Set<(handled: Handled<E>) => void>();
  readonly #logger: Logger | undefined;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
    if (logger !== undefined) this.#listeners.add(rulesJournal(logger));
  }

  add(listener: (handled: Handled<E>) => void): Unsubscribe {
    // Added twice, it is called twice, and ends one by one.
    const own = (handled: Handled<E>): void => listener(handled);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(handled: Handled<E>): void {
    for (const listener of this.#listeners) {
      try {
        const answer: unknown = listener(handled);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    try {
      this.#logger?.error({ event: 'cache_listener', err: error }, 'cache_listener: a listener of rules threw');
    } catch {
      // The logger itself fails: there is nobody left to tell, and invalidations must not suffer for it.
    }
  }
}
