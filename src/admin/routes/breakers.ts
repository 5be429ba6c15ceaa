import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

const time = z.string().nullable();

export const breakers: Route = route({
  method: 'GET',
  path: '/admin/cache/breakers',
  role: 'reader',
  summary: "Where this node's circuit breakers are",
  query: nothing,
  answer: z.object({
    breakers: z.array(
      z.object({
        name: z.string(),
        state: z.string(),
        since: z.string(),
        openedBy: z.string().nullable(),
        probedFrom: time,
        failures: z.number(),
        refused: z.number(),
        fallbacks: z.number(),
        opened: z.number(),
        lastFailure: z.string().nullable().describe('the name of the error; its text is in the log'),
        board: z.string(),
      }),
    ),
  }),
  handle: ({ parts: { operations } }) => ({
    breakers: operations.breakers().map((it) => ({
      ...it,
      // Its text may quote what the dependency was asked, or where it is.
      lastFailure: it.lastFailure === null ? null : (/^\w+/.exec(it.lastFailure)?.[0] ?? 'error'),
    })),
  }),
});
