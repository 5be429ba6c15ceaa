import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { TidemarkError } from '../coherence/errors.ts';
import type { Traced, TracedOutcome } from '../index.ts';

/**
 * Tells a span how its work went, and leaves it open.
 *
 * @param keys whether keys may be told: the messages of this library's own errors name them
 */
export function tellOutcome(span: Span, about: Traced, outcome: TracedOutcome, keys: boolean): void {
  if ('error' in outcome) return tellError(span, outcome.error, keys);
  const { value } = outcome;
  if (!isObject(value)) return;
  if (about.type === 'append' && Array.isArray(value['numbers'])) {
    const number: unknown = value['numbers'][about.index];
    if (typeof number === 'number') span.setAttribute('tidemark.record.number', number);
    if (typeof value['epoch'] === 'string') span.setAttribute('tidemark.log.epoch', value['epoch']);
  }
  if (about.type !== 'invalidate' && about.type !== 'publish') return;
  const { status, token } = value;
  if (typeof status === 'string') span.setAttribute('tidemark.receipt.status', status);
  if (typeof token === 'string') span.setAttribute('tidemark.receipt.token', token);
}

function tellError(span: Span, error: unknown, keys: boolean): void {
  const own = error instanceof TidemarkError;
  const type = own ? error.code : error instanceof Error ? error.name : typeof error;
  span.setAttribute('error.type', type);
  const message = own && !keys ? error.code : error instanceof Error ? error.message : String(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  if (own && !keys) span.recordException({ name: error.name, code: error.code, message });
  else if (error instanceof Error) span.recordException(error);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
