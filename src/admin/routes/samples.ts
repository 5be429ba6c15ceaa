import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { shownValue } from '../shown-value.ts';

const maybe = z.number().optional();
const text = z.string().optional();

const counts = z.record(z.string(), z.number()).describe('samples by what became of them');

const label = z.object({ label: z.string(), name: text, newest: z.number(), covers: z.boolean() });

const nearRecord = z.object({
  ...{ number: z.number(), appliedAt: z.number(), kind: z.string(), origin: z.string() },
  ...{ event: text, targets: z.array(z.string()).readonly().optional(), trace: text },
});

const violation = z.object({
  ...{ kind: z.enum(['violation', 'unstable', 'mutated']), key: z.string(), query: text, node: z.string() },
  ...{ from: z.string(), mark: text, age: z.number(), servedAt: z.number(), foundAt: z.number() },
  served: text.describe('a hash of the value; as the next'),
  loaded: text,
  values: z
    .object({ served: z.looseObject({}), loaded: z.looseObject({}) })
    .optional()
    .describe('each { value }, or { text, characters }'),
  looks: z.array(z.object({ after: z.number(), agrees: z.boolean(), hash: text })).readonly(),
  labels: z.array(label).readonly(),
  records: z.array(nearRecord).readonly(),
  ...{ message: z.string(), recommendation: z.string() },
});

const nines = z.object({
  ...{ within: z.number(), samples: z.number(), older: z.number(), share: maybe, nines: z.number(), most: z.number() },
});

export const samples: Route = route({
  method: 'GET',
  path: '/admin/cache/samples',
  role: 'reader',
  summary: 'What was served and compared with its source, and what did not agree',
  query: z.strictObject({
    value: z.enum(['0', '1']).default('0').describe('1: with the values, where service and sampler allow that'),
  }),
  answer: z.object({
    ...{ since: z.number(), at: z.number(), counts, window: z.number(), recent: counts, waiting: z.number() },
    ...{ loads: z.number(), paused: z.enum(['busy', 'failing']).optional() },
    score: maybe.describe('0 to 100'),
    nines: z.array(nines).readonly(),
    violations: z.array(violation),
  }),
  handle: ({ query, parts: { operations, showsValue } }) => {
    if (operations.sampler === undefined)
      throw new Refusal(404, 'NOT_AVAILABLE', 'Nothing is sampled here: createOperations was given sampler: false.');
    const { violations, counts, recent, ...report } = operations.sampler.report();
    return {
      ...{ ...report, counts: { ...counts }, recent: { ...recent } },
      violations: violations.map(({ values, ...it }) => ({
        ...it,
        ...(values !== undefined &&
          query.value === '1' &&
          showsValue(it.key) && {
            values: { served: { ...shownValue(values.served) }, loaded: { ...shownValue(values.loaded) } },
          }),
      })),
    };
  },
});
