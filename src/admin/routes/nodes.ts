import { z } from 'zod';
import type { NodeView } from '../../operations/index.ts';
import type { Wire } from '../json.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

/** What has never been known of a node is null. */
const known = z.number().nullable();
const maybe = z.number().optional();

type Known = 'lag' | 'provenAge' | 'reportAge';
type NodeAnswer = Wire<Omit<NodeView, Known>> & { readonly [K in Known]: number | null };

export const nodeAnswer: z.ZodType<NodeAnswer, NodeAnswer> = z.object({
  node: z.string(),
  kind: z.enum(['node', 'relay']),
  status: z.enum(['healthy', 'degraded', 'critical', 'silent']),
  attached: z.boolean(),
  lag: known.describe('milliseconds behind the newest position known'),
  provenAge: known,
  position: z.string(),
  queued: z.number(),
  entries: z.number(),
  bytes: z.number(),
  hitRate: maybe.describe('0 to 1'),
  latencyP95: maybe.describe('milliseconds'),
  consistencyScore: maybe.describe('0 to 100'),
  reportAge: known.describe('milliseconds since this was said'),
  version: z.string(),
  host: z.string(),
  pid: z.number(),
});

export const nodes: Route = route({
  method: 'GET',
  path: '/admin/cache/nodes',
  role: 'reader',
  summary: 'The nodes and relays of the fleet, and how far each is behind',
  query: nothing,
  answer: z.object({ nodes: z.array(nodeAnswer).readonly() }),
  handle: async ({ parts: { operations } }) => ({ nodes: (await operations.fleet()).nodes }),
});
