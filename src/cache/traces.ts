import type { Logger } from '../coherence/logger.ts';
import type { Cause } from '../coherence/record.ts';
import type { OpenSpan, Traced, TracedOutcome, Tracing } from './tracing.ts';

/**
 * Work under a {@link Tracing} that may be absent or broken: it runs exactly once, at once, and comes to the same whatever becomes
 * of its span. Promises are handed on as they are, so that nothing takes a turn longer for being traced.
 */
export class Traces {
  readonly #tracing: Tracing | undefined;
  readonly #logger: Logger | undefined;
  #reported = false;

  constructor(tracing: Tracing | undefined, logger: Logger | undefined) {
    this.#tracing = tracing;
    this.#logger = logger;
  }

  /** Whether anything is traced at all. */
  get on(): boolean {
    return this.#tracing !== undefined;
  }

  /** See {@link Tracing.traceparent}. */
  traceparent(): string | undefined {
    return this.#tracing === undefined ? undefined : this.#careful(() => this.#tracing?.traceparent());
  }

  /** A cause with the trace that is active here, unless it has one. */
  cause(cause: Cause | undefined): Cause | undefined {
    if (this.#tracing === undefined || cause?.trace !== undefined) return cause;
    const trace = this.traceparent();
    return trace === undefined ? cause : { ...cause, trace };
  }

  /** Runs `work` as a span. */
  span<T>(about: Traced, work: () => T): T {
    if (this.#tracing === undefined) return work();
    const span = this.#careful(() => this.#tracing?.begin(about));
    return span === undefined ? work() : this.#within(span, work);
  }

  /** See {@link Tracing.apart}. */
  apart<T>(work: () => T): T {
    const tracing = this.#tracing;
    return tracing === undefined ? work() : this.#once(work, (once) => tracing.apart(once));
  }

  #within<T>(span: OpenSpan, work: () => T): T {
    const end = (outcome: TracedOutcome): void => this.#careful(() => span.end(outcome));
    try {
      const value = this.#once(work, (once) => span.run(once));
      if (value instanceof Promise)
        value.then(
          (it: unknown) => end({ value: it }),
          (error: unknown) => end({ error }),
        );
      else end({ value });
      return value;
    } catch (error) {
      end({ error });
      throw error;
    }
  }

  /** What `work` comes to, run by `runner` if that works, and once in any case. */
  #once<T>(work: () => T, runner: (once: () => T) => unknown): T {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    const once = (): T => {
      outcome ??= outcomeOf(work);
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    };
    try {
      runner(once);
    } catch (error) {
      if (outcome === undefined || !('error' in outcome) || outcome.error !== error) this.#report(error);
    }
    return once();
  }

  #careful<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  #report(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    try {
      this.#logger?.error(
        { event: 'cache_tracing', err: error },
        'cache_tracing: tracing failed; reads and writes go on without it. It is said once',
      );
    } catch {
      // The logger itself fails: there is nobody left to tell, and reads must not suffer for it.
    }
  }
}

function outcomeOf<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
