import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Implication } from './implication.ts';
import type { Modes, ModeSwitch } from './mode.ts';
import type { DomainEvent } from './rule.ts';

export interface RulesOptions<E extends DomainEvent> {
  /** Flat fields for the log line and the record, such as `(event) => ({ org: event.orgId })`. */
  readonly fields?: (event: E) => Readonly<Record<string, string>>;
  /**
   * The id of an event, where it has one: its records then have message ids that follow from it, and from what they cover, so that
   * whoever reads the log can tell that an event came twice. Every event is handled, however often it comes.
   */
  readonly id?: (event: E) => string | undefined;
  /** What targets imply others, whichever rule has named them; see `implies`. */
  readonly cascades?: readonly Implication[];
  /** Events that are off, or only measured; or a function that is asked for each event. Goes before the strategies' own. */
  readonly modes?: Modes<E> | ModeSwitch<E>;
  /** Hears of unknown events, of what was widened or would have been invalidated, and of failures. */
  readonly logger?: Logger;
}

/** @throws TidemarkError `INVALID_OPTION` for an option that nobody reads */
export function checkRulesOptions<E extends DomainEvent>(options: RulesOptions<E>): void {
  checkKnown(options, ['fields', 'id', 'cascades', 'modes', 'logger'], 'createRules()');
}
