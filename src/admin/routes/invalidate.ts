import { z } from 'zod';
import { type Cause, everything, key, pattern, type Target, tag } from '../../index.ts';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

const segments = z.array(z.union([z.string(), z.number(), z.boolean()])).min(1);

const body = z.strictObject({
  keys: z
    .array(z.union([z.string(), segments]))
    .optional()
    .describe('each with everything below it; a path such as "user:42", or segments such as ["user", 42]'),
  tags: z.array(z.string()).optional(),
  patterns: z.array(z.string()).optional().describe('globs over whole keys'),
  everything: z.literal(true).optional(),
  event: z.string().min(1).max(200).default('admin.invalidate').describe('what the record says has happened'),
  fields: z.record(z.string().max(100), z.string().max(500)).optional().describe('for log lines'),
  acknowledged: z
    .enum(['here', 'everywhere'])
    .default('here')
    .describe('answer once this node, or no node of the fleet, serves anything older'),
});

const receipt = z.object({
  status: z.enum(['applied', 'appended', 'queued']),
  token: z.string().describe('for atLeast, to read this write elsewhere'),
  removed: z.number().optional(),
  everywhere: z.boolean().optional(),
  strict: z.boolean().optional(),
});

export const invalidate: Route = route({
  method: 'POST',
  path: '/api/system/cache/invalidate',
  role: 'operator',
  summary: 'Invalidates keys, tags, patterns or everything, in the whole fleet',
  query: nothing,
  body,
  answer: receipt,
  handle: ({ body, caller, request, parts: { operations } }) => {
    const targets = targetsOf(body);
    if (targets.length === 0)
      throw new Refusal(400, 'INVALID_TARGET', 'body: nothing to invalidate. Give keys, tags, patterns or everything.');
    const { event, fields, acknowledged } = body;
    const trace = traceOf(request);
    // Who it was goes with the record: every node's log tells it.
    const cause: Cause = { event, fields: { ...fields, by: caller?.name ?? '' }, ...(trace && { trace }) };
    return operations.cache.invalidate(targets, { cause, acknowledged });
  },
});

function targetsOf({ keys = [], tags = [], patterns = [], everything: all }: z.output<typeof body>): Target[] {
  return [
    ...keys.map((it) => key(it)),
    ...tags.map((it) => tag(it)),
    ...patterns.map((it) => pattern(it)),
    ...(all === true ? [everything()] : []),
  ];
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
function traceOf({ headers }: Request): string | undefined {
  return /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(headers.get('traceparent') ?? '')?.[0];
}
