import { z } from 'zod';
import { canonicalKey } from '../../coherence/key.ts';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { shownValue } from '../shown-value.ts';

const label = z.object({
  label: z.string(),
  name: z.string().optional(),
  newest: z.number().describe('the newest record that covers it'),
  covers: z.boolean(),
});

const inspected = z.object({
  tier: z.enum(['memory', 'store']),
  version: z.number(),
  verdict: z.string().describe('fresh, or why it may not be served'),
  mark: z.string().optional(),
  number: z.number(),
  age: z.number().describe('milliseconds; as the next two'),
  ttlLeft: z.number().nullable(),
  graceLeft: z.number().nullable(),
  labels: z.array(label).readonly(),
  patterns: z.array(z.object({ pattern: z.string(), number: z.number() })).readonly(),
  announced: z.boolean(),
  queued: z.boolean(),
  value: z.looseObject({}).optional().describe('{ value }, or { text, characters }'),
});

const covering = z.object({
  ...{
    number: z.number(),
    kind: z.string(),
    by: z.string().describe('what of it covers the entry'),
    origin: z.string(),
  },
  ...{ at: z.number().optional(), appliedAt: z.number().optional().describe('milliseconds since 1970, as `at`') },
  ...{ event: z.string().optional(), targets: z.array(z.string()).readonly(), trace: z.string().optional() },
});

const explained = z.object({
  ...{ tier: z.enum(['memory', 'store']), version: z.number(), verdict: z.string(), sentence: z.string() },
  covering: covering.optional().describe('the record that keeps it from being served'),
});

export const entry: Route = route({
  method: 'GET',
  path: '/admin/cache/entry',
  role: 'reader',
  summary: 'What the tiers have under a key, and why it may be served or may not',
  query: z.strictObject({
    key: z.string().min(1).describe('a path such as user:42; \\: is a colon in a segment'),
    value: z.enum(['0', '1']).default('0').describe('1: with the values, where the service allows that'),
  }),
  answer: z.object({
    inspection: z.object({
      ...{ key: z.string(), attached: z.boolean(), position: z.string(), floor: z.number() },
      entries: z.array(inspected),
    }),
    entries: z.array(explained).readonly().describe('in the same order'),
    sentence: z.string().describe('what the next read does'),
  }),
  handle: async ({ query, parts: { operations, showsValue } }) => {
    const key = canonicalKey(query.key);
    const shown = query.value === '1';
    if (shown && !showsValue(key))
      throw new Refusal(403, 'FORBIDDEN', 'Values are not shown here. Ask without value=1.');
    const { inspection, ...rest } = await operations.explain(key);
    const entries = inspection.entries.map(({ value, ...it }) => ({
      ...it,
      ...(shown && { value: { ...shownValue(value) } }),
    }));
    return { ...rest, inspection: { ...inspection, entries } };
  },
});
