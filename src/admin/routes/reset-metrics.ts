import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

export const resetMetrics: Route = route({
  method: 'POST',
  path: '/api/system/cache/reset-metrics',
  role: 'operator',
  summary: 'Begins to count anew, on this node',
  query: nothing,
  answer: z.object({ since: z.number().describe('milliseconds since 1970') }),
  handle: ({ parts: { operations } }) => {
    operations.resetMetrics();
    return { since: operations.metrics().since };
  },
});
