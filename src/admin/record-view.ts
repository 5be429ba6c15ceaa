import { z } from 'zod';
import { labelText } from '../coherence/label.ts';
import type { Cause, LogRecord } from '../index.ts';

/** Most targets, labels and patterns that are named of one record; a record may have thousands. */
const MOST_NAMED = 100;

/** A record as JSON can say it. */
export interface RecordView extends Pick<LogRecord, 'number' | 'prev' | 'kind' | 'id' | 'origin' | 'time'> {
  readonly targets?: readonly string[] | undefined;
  readonly labels: readonly string[];
  readonly patterns: readonly string[];
  readonly more: number;
  readonly cause?: Cause | undefined;
  /** When this node has applied it, if it remembers. */
  readonly appliedAt?: number | undefined;
}

const text = z.string().exactOptional();

const causeAnswer = z.object({
  ...{ event: text, entityType: text, entityId: text, action: text },
  trace: text.describe('W3C traceparent of the request that changed the data'),
  fields: z.record(z.string(), z.string()).exactOptional(),
});

export const recordAnswer: z.ZodType<RecordView, RecordView> = z.object({
  number: z.number().describe('its place in the log, within the epoch'),
  prev: z.number(),
  kind: z.enum(['invalidate', 'everything', 'announce', 'close', 'floor']),
  id: z.string(),
  origin: z.string().describe('the node that made it'),
  time: z.number().describe("milliseconds since 1970, by the maker's clock"),
  targets: z.array(z.string()).readonly().optional().describe(`the first ${MOST_NAMED}, where they are known`),
  labels: z.array(z.string()).readonly().describe(`the first ${MOST_NAMED}, 16 hexadecimal digits each`),
  patterns: z.array(z.string()).readonly(),
  more: z.number().describe('how many labels are not named'),
  cause: causeAnswer.optional(),
  appliedAt: z.number().optional().describe('when this node has applied it, in ms since 1970, if it remembers'),
});

/** @param appliedAt when this node has applied it */
export function recordView(record: LogRecord, appliedAt?: number): RecordView {
  const { number, prev, kind, id, origin, time, targets, labels, patterns, cause } = record;
  return {
    ...{ number, prev, kind, id, origin, time },
    targets: targets?.slice(0, MOST_NAMED),
    labels: labels.slice(0, MOST_NAMED).map(labelText),
    patterns: patterns.slice(0, MOST_NAMED),
    more: Math.max(0, labels.length - MOST_NAMED),
    ...{ cause, appliedAt },
  };
}

/** The targets of an invalidation, in words. */
export function named(targets: readonly string[]): { targets: readonly string[]; more: number } {
  return { targets: targets.slice(0, MOST_NAMED), more: Math.max(0, targets.length - MOST_NAMED) };
}
