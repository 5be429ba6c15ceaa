import { z } from 'zod';
import type { ServerReport } from '../../index.ts';
import type { Wire } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

const known = z.number().optional();

/** What is not said is not there. */
export const serverAnswer: z.ZodType<Wire<ServerReport>, Wire<ServerReport>> = z.object({
  server: z.string().describe('such as redis 7.0.15'),
  memoryUsed: known.describe('bytes'),
  memoryMost: known.describe('bytes; 0 for no limit'),
  evictionPolicy: z.string().optional(),
  clients: known,
  hits: known.describe('of keys of anybody, since the server started; as the next three'),
  misses: known,
  evicted: known,
  expired: known,
  uptime: known.describe('milliseconds'),
  role: z.string().optional(),
  replicas: known,
  logBytes: known,
  logRecords: known,
});

export const server: Route = route({
  method: 'GET',
  path: '/admin/cache/server',
  role: 'reader',
  summary: 'What the server of the log and the store says of itself',
  query: nothing,
  answer: serverAnswer,
  handle: ({ parts: { operations } }) => {
    const { diagnostics } = operations.cache.parts;
    if (diagnostics === undefined)
      throw new Refusal(
        404,
        'NOT_AVAILABLE',
        'There is no server to ask: the cache was made without the part `diagnostics`.',
      );
    return diagnostics.server();
  },
});
