import type { Cause, LogRecord } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';

/** Work that can be a span of a trace: one closed union, told apart by `type`. */
export type Traced =
  /** A loader, within its time limit. Of loads by `loadMany`, one for each value. */
  | { readonly type: 'load'; readonly key: string; readonly query: string | undefined }
  /** One request to the store, for all that was asked in one turn. `system`: see `Store`. */
  | { readonly type: 'store-get'; readonly keys: readonly string[]; readonly system: string | undefined }
  | { readonly type: 'store-set'; readonly key: string; readonly bytes: number; readonly system: string | undefined }
  /** A call, up to its receipt. `node`: the origin of its record. */
  | {
      readonly type: 'invalidate' | 'announce' | 'publish';
      readonly targets: readonly Target[];
      readonly cause: Cause | undefined;
      readonly node: string;
    }
  /** One request to the log, which several drafts share. `trace`: what the draft at `index` carries, and where it belongs. */
  | {
      readonly type: 'append';
      readonly trace: string;
      readonly index: number;
      readonly drafts: number;
      readonly node: string;
    }
  /**
   * A node has applied a record that carries a trace: `trace`, where it belongs. `at`: when the record arrived here, by the wall
   * clock, in milliseconds since 1970.
   */
  | {
      readonly type: 'apply';
      readonly trace: string;
      readonly record: LogRecord;
      readonly epoch: string;
      readonly node: string;
      readonly at: number;
    };

/** How traced work went. */
export type TracedOutcome = { readonly value: unknown } | { readonly error: unknown };

/** A span that has begun. */
export interface OpenSpan {
  /** Runs `work` at once with this span as the active one, for it and all that it awaits, and returns what it returns. */
  run<T>(work: () => T): T;
  /** Called once, when the work has ended. */
  end(outcome: TracedOutcome): void;
}

/**
 * Spans of what costs time, and the trace that a record carries to the other nodes.
 *
 * It does not promise that anything is recorded, nor that a span that has begun is ever seen. It need not be careful: what it
 * throws is reported once, and the work goes on without it. Hits in memory are never traced.
 */
export interface Tracing {
  /** The W3C `traceparent` of what is active here, for a record to carry; `undefined` where nothing is, or nobody records it. */
  traceparent(): string | undefined;
  /** Begins a span; `undefined` where this work is not traced. */
  begin(about: Traced): OpenSpan | undefined;
  /** Runs `work` in no trace: for what goes on long after the call that began it. */
  apart<T>(work: () => T): T;
}
