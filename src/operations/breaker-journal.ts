import type { Logger } from '../coherence/logger.ts';
import type { BreakerEvent, BreakerListener } from './breaker-event.ts';

/** Writes what people want to know of a breaker: when it opens and closes, and when it hears nothing of the others. */
function breakerJournal(logger: Logger): BreakerListener {
  return (event) => {
    const { breaker, type } = event;
    const fields = { event: `breaker_${type}`, breaker };
    switch (event.type) {
      case 'opened': {
        const { by, ms, here, error } = event;
        return logger.warn(
          { ...fields, by, ms, here, ...(error === undefined ? {} : { err: error }) },
          'breaker opened',
        );
      }
      case 'closed':
        return logger.info({ ...fields, here: event.here }, 'breaker closed');
      case 'board-failed':
        return logger.warn({ ...fields, err: event.error }, 'breaker works alone: its board cannot be reached');
      case 'board-back':
        return logger.info(fields, 'breaker reaches its board again');
      case 'failed':
        return logger.debug({ ...fields, err: event.error }, 'breaker counts a failure');
      case 'probing':
      case 'refused':
      case 'fallback':
        return;
      default:
        return event satisfies never;
    }
  };
}

/** Hands events to listeners; one that throws harms neither the breaker nor other listeners. */
export class BreakerListeners {
  readonly #listeners = new Set<BreakerListener>();
  readonly #logger: Logger | undefined;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
    if (logger !== undefined) this.#listeners.add(breakerJournal(logger));
  }

  on(listener: BreakerListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: BreakerEvent): void {
    for (const listener of this.#listeners) {
      try {
        const answer: unknown = listener(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    try {
      this.#logger?.error({ event: 'breaker_listener', err: error }, 'a listener of a breaker threw');
    } catch {
      // The logger itself fails: there is nobody left to tell, and calls must not suffer for it.
    }
  }
}
