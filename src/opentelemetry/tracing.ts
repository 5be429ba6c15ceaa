import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Clock, OpenSpan, PartContext, Traced, Tracing } from '../index.ts';
import { tellOutcome } from './span-end.ts';
import { formOf } from './span-form.ts';
import { SpanRate } from './span-rate.ts';
import { spanOf, traceparentOf } from './traceparent.ts';

export interface OpenTelemetryOptions {
  /** Default: the one that is registered with `@opentelemetry/api`, also where that is done later. */
  readonly tracerProvider?: TracerProvider;
  /** Whether spans tell keys, tags, patterns and ids. Default false: they may say who somebody is. Names of queries are always told. */
  readonly keys?: boolean;
  /** Whether only what is called within a span is one. Default true; `false`: what is called outside begins a trace of its own. */
  readonly requireParentSpan?: boolean;
  /** Most spans in a second that this node makes of records that it applies; default 100. Others are left out. */
  readonly appliedPerSecond?: number;
}

const KNOWN: Record<keyof OpenTelemetryOptions, true> = {
  tracerProvider: true,
  keys: true,
  requireParentSpan: true,
  appliedPerSecond: true,
};

/**
 * Spans of what a cache or publisher does, for its option `tracing`, by `@opentelemetry/api`: loads, requests to the store,
 * invalidations and appends within the active span; and on every node, each record that carries a trace which is recorded.
 *
 * @throws TidemarkError `INVALID_OPTION`
 * @example const cache = createCache({ name: 'shop', ...redis({ url }), tracing: openTelemetry() });
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): (context: PartContext) => Tracing {
  checkKnown(options, Object.keys(KNOWN), 'openTelemetry()');
  const { tracerProvider, keys = false, requireParentSpan = true, appliedPerSecond = 100 } = options;
  for (const [name, value] of Object.entries({ keys, requireParentSpan }))
    if (typeof value !== 'boolean')
      throw new TidemarkError('INVALID_OPTION', `${name}: ${shorten(value)} is neither true nor false.`);
  if (!(Number.isSafeInteger(appliedPerSecond) && appliedPerSecond >= 0))
    throw new TidemarkError(
      'INVALID_OPTION',
      `appliedPerSecond: ${shorten(appliedPerSecond)} is not a whole number from 0 on. Give spans a second, or 0 for none.`,
    );
  if (tracerProvider !== undefined && typeof tracerProvider.getTracer !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `tracerProvider: ${shorten(tracerProvider)} is none. Give a provider of OpenTelemetry's SDK, or leave it out.`,
    );
  return ({ name, clock }) =>
    new OpenTelemetryTracing({
      tracer: (tracerProvider ?? trace).getTracer('tidemark'),
      ...{ cache: name, clock, keys, requireParentSpan },
      rate: new SpanRate(appliedPerSecond, clock),
    });
}

interface TracingParts {
  readonly tracer: Tracer;
  readonly cache: string;
  readonly clock: Clock;
  readonly keys: boolean;
  readonly requireParentSpan: boolean;
  readonly rate: SpanRate;
}

class OpenTelemetryTracing implements Tracing {
  readonly #parts: TracingParts;

  constructor(parts: TracingParts) {
    this.#parts = parts;
  }

  traceparent(): string | undefined {
    return traceparentOf(trace.getSpanContext(context.active()));
  }

  begin(about: Traced): OpenSpan | undefined {
    const parent = this.#parentOf(about);
    if (parent === undefined || (about.type === 'apply' && !this.#parts.rate.take())) return undefined;
    const { tracer, clock, keys } = this.#parts;
    const { name, ...form } = formOf(about, this.#parts);
    const startTime = about.type === 'apply' ? about.at : undefined;
    const span = tracer.startSpan(name, startTime === undefined ? form : { ...form, startTime }, parent);
    return {
      run: (work) => context.with(trace.setSpan(parent, span), work),
      end: (outcome) => {
        tellOutcome(span, about, outcome, keys);
        // A start by the wall clock has its end by the same one, which may have been set back meanwhile.
        span.end(startTime === undefined ? undefined : Math.max(startTime, clock.wall()));
      },
    };
  }

  apart<T>(work: () => T): T {
    return context.with(ROOT_CONTEXT, work);
  }

  /** `undefined`: not traced. */
  #parentOf(about: Traced): Context | undefined {
    if (about.type === 'append' || about.type === 'apply') {
      const span = spanOf(about.trace, about.type === 'apply');
      return span === undefined ? undefined : trace.setSpanContext(ROOT_CONTEXT, span);
    }
    const active = context.active();
    const span = trace.getSpanContext(active);
    const within = span !== undefined && isSpanContextValid(span);
    return within || !this.#parts.requireParentSpan ? active : undefined;
  }
}
