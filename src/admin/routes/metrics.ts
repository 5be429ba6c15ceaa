import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

const count = z.number();
const counts = z.record(z.string(), count);
const ms = z.number().optional();

const latency = z.object({ count, p50: ms, p95: ms, p99: ms, max: ms, mean: ms }).describe('milliseconds');

const queryMetrics = z.object({
  query: z.string().describe('its path; (keys), (other) and (all) are no queries'),
  hits: z.object({ memory: count, store: count }),
  misses: counts.describe('by why memory had nothing to serve'),
  missed: count.describe('reads for which no tier had anything'),
  hitRate: z.number().optional().describe('0 to 1'),
  loads: count,
  loadFailures: count,
  joined: count,
  rejoined: count,
  refreshes: count,
  promotions: count,
  evicted: count,
  stale: counts.describe('old values that readers tolerated, by why'),
  shadow: counts.describe('reads in shadow mode, by outcome'),
  latency: z.object({ memory: latency, store: latency, loader: latency, read: latency, load: latency }),
});

const answer = z.object({
  name: z.string(),
  node: z.string(),
  since: z.number().describe('milliseconds since 1970: when counting began'),
  at: z.number(),
  total: queryMetrics,
  queries: z.array(queryMetrics),
  memory: z.object({ entries: count, bytes: count, evicted: count, loading: count }),
  store: z.object({
    writes: count,
    bytesWritten: count,
    latency,
    failures: z.object({ get: count, set: count, reclaim: count }),
  }),
  invalidations: z.object({
    total: count,
    byKind: counts,
    byEntityType: counts,
    byTenant: counts.describe('of the whole fleet, in the last minute'),
    queued: count,
    overflowed: count,
    removed: count,
    latency,
    last: z
      .object({ at: z.number(), targets: z.array(z.string()).readonly(), event: z.string().optional() })
      .optional(),
  }),
  log: z.object({
    attached: z.boolean(),
    position: z.string(),
    provenAge: z.number().nullable().describe('milliseconds; null where nothing was ever proved'),
    queued: count,
    tableFill: z.number(),
    sent: count,
    publish: latency,
    applied: count,
    received: count,
    delay: latency,
    detachments: count,
    epochs: count,
    resyncs: count,
  }),
  failures: z.object({ lease: count, places: count }),
  efficiency: z.object({ score: z.number().optional().describe('0 to 100'), advice: z.array(z.string()).readonly() }),
});

export const metrics: Route = route({
  method: 'GET',
  path: '/api/system/metrics/cache',
  role: 'reader',
  summary: 'What this node has counted since its start or the last reset',
  query: nothing,
  answer,
  handle: ({ parts: { operations } }) => {
    const { queries, ...rest } = operations.metrics();
    return { ...rest, queries: [...queries] };
  },
});
