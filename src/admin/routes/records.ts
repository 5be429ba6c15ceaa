import { z } from 'zod';
import { recordAnswer, recordView } from '../record-view.ts';
import { type Route, route } from '../route.ts';
import { most } from '../validation.ts';

export const records: Route = route({
  method: 'GET',
  path: '/admin/cache/records',
  role: 'reader',
  summary: 'The newest records, newest first: who has invalidated what, when and why',
  query: z.strictObject({
    most: most(100),
    before: z.coerce.number().int().min(1).optional().describe('only records with a smaller number'),
  }),
  answer: z.object({
    records: z.array(recordAnswer),
  }),
  handle: async ({ query: { most, before }, parts: { operations } }) => {
    const { diagnostics } = operations.cache.parts;
    const remembered = operations.records;
    // The server has those from before this node began, too.
    if (diagnostics === undefined)
      return {
        records: remembered.list(most, before).map(({ record, appliedAt }) => recordView(record, appliedAt)),
      };
    const applied = new Map(remembered.list().map(({ record: { id }, appliedAt }) => [id, appliedAt]));
    const found = await diagnostics.records(most, before);
    return { records: found.map((it) => recordView(it, applied.get(it.id))) };
  },
});
