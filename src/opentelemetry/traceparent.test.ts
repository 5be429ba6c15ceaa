import { TraceFlags } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { spanOf, traceparentOf } from './traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.SAMPLED };

describe('a traceparent', () => {
  it('is written of a span that is recorded, and read again', () => {
    expect(traceparentOf(SAMPLED)).toBe(`00-${TRACE}-${SPAN}-01`);
    expect(spanOf(`00-${TRACE}-${SPAN}-01`, true)).toEqual({ ...SAMPLED, isRemote: true });
    expect(traceparentOf({ ...SAMPLED, traceFlags: 3 })).toBe(`00-${TRACE}-${SPAN}-03`);
  });

  it('is not written of one that nobody records, or that is none', () => {
    expect(traceparentOf(undefined)).toBeUndefined();
    expect(traceparentOf({ ...SAMPLED, traceFlags: TraceFlags.NONE })).toBeUndefined();
    expect(traceparentOf({ ...SAMPLED, spanId: '0'.repeat(16) })).toBeUndefined();
  });

  it('of a later version may go on', () => {
    expect(spanOf(`01-${TRACE}-${SPAN}-01-more`, false)).toEqual({ ...SAMPLED, isRemote: false });
  });

  it.each([
    '',
    'mine',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-00`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])('%j is none, or of a span that nobody records', (text) => {
    expect(spanOf(text, true)).toBeUndefined();
  });
});
