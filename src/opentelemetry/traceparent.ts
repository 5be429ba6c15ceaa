import { isSpanContextValid, type SpanContext, TraceFlags } from '@opentelemetry/api';

/** `version-traceId-spanId-flags`, and what a later version may add. After W3C Trace Context. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The `traceparent` of a span; `undefined` where there is none, or nobody records it. */
export function traceparentOf(span: SpanContext | undefined): string | undefined {
  if (span === undefined || !isSpanContextValid(span) || !isSampled(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/**
 * The span that a `traceparent` names; `undefined` for a text that is none, and for a span that nobody records.
 *
 * @param remote whether it may be another process's
 */
export function spanOf(traceparent: string, remote: boolean): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = FORM.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const span: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: remote };
  return isSpanContextValid(span) && isSampled(span) ? span : undefined;
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}
