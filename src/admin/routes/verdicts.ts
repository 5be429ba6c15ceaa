import { z } from 'zod';
import { canonicalKey } from '../../coherence/key.ts';
import { type Route, route } from '../route.ts';
import { storedVerdicts } from '../stored-verdict.ts';

/** Most keys of one request. */
const MOST = 100;

const keys = z
  .string()
  .max(8_000)
  .transform((text, context) => {
    try {
      const { success, data } = z.array(z.string().min(1)).min(1).max(MOST).safeParse(JSON.parse(text));
      if (success) return data;
    } catch {
      // Said below.
    }
    context.addIssue({ code: 'custom', message: `give a JSON list of 1 to ${MOST} keys` });
    return z.NEVER;
  })
  .describe(`a JSON list of at most ${MOST} keys, such as ["user:42"]`);

export const verdicts: Route = route({
  method: 'GET',
  path: '/admin/cache/verdicts',
  role: 'reader',
  summary: 'What the store has under keys, each entry judged by the rule: for going through all of them',
  query: z.strictObject({ keys }),
  answer: z.object({
    entries: z
      .array(
        z.object({
          key: z.string(),
          version: z.number().optional(),
          verdict: z
            .string()
            .describe(
              'fresh, or why it may not be served; unreadable; unknown: the store did not answer in time; gone',
            ),
        }),
      )
      .readonly(),
  }),
  handle: async ({ query, parts: { operations } }) => ({
    entries: await storedVerdicts(operations.cache, query.keys.map(canonicalKey)),
  }),
});
