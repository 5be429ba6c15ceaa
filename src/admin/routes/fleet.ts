import { z } from 'zod';
import { reasonAnswer, statusAnswer } from '../health-view.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';
import { nodeAnswer } from './nodes.ts';
import { serverAnswer } from './server.ts';

const ms = z.number().optional();

const total = z.object({
  ...{ nodes: z.number(), ready: z.number(), reads: z.number(), hitRate: z.number().optional() },
  latency: z.object({ count: z.number(), p50: ms, p95: ms, p99: ms, max: ms, mean: ms }).describe('milliseconds'),
  ...{ latencyP95: ms, consistencyScore: z.number().optional(), invalidationsPerMinute: z.number() },
  ...{ queued: z.number(), entries: z.number(), bytes: z.number(), evicted: z.number() },
});

const relay = z.object({
  active: z.string().optional().describe('who works'),
  ...{ standby: z.number(), lagMs: ms, waiting: z.number(), problem: z.string().optional() },
});

export const fleet: Route = route({
  method: 'GET',
  path: '/admin/cache/fleet',
  role: 'reader',
  summary: 'How the whole fleet is',
  query: nothing,
  answer: z.object({
    status: statusAnswer,
    nodes: z.array(nodeAnswer).readonly(),
    reasons: z.array(reasonAnswer).readonly(),
    recommendations: z.array(z.string()).readonly(),
    total,
    server: serverAnswer.optional(),
    relay: relay.optional(),
  }),
  handle: ({ parts: { operations } }) => operations.fleet(),
});
