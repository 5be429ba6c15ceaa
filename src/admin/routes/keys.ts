import { z } from 'zod';
import { keyOf } from '../../coherence/key.ts';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { most } from '../validation.ts';

export const keys: Route = route({
  method: 'GET',
  path: '/admin/cache/keys',
  role: 'reader',
  summary: "Keys that are a prefix or below it, in this node's memory or in the store",
  query: z.strictObject({
    prefix: z.string().default('').describe('whole segments, such as "user:42"; nothing for all'),
    tier: z.enum(['memory', 'store']).default('memory'),
    from: z.string().min(1).max(500).optional().describe('`next` of the page before; of the store only'),
    most: most(100),
  }),
  answer: z.object({
    tier: z.enum(['memory', 'store']),
    keys: z.array(z.string()).describe('of the store a key may stand in more than one page'),
    next: z.string().optional().describe('where the next page begins; a page may be empty and not the last'),
    more: z.boolean().describe('whether there are others'),
  }),
  handle: async ({ query: { prefix, tier, from, most }, parts: { operations } }) => {
    const { cache } = operations;
    if (tier === 'memory') {
      if (from !== undefined)
        throw new Refusal(400, 'INVALID_REQUEST', 'query.from: memory has one page. Ask for a longer prefix.');
      // One more than is wanted tells whether there are others. The most recently used stand last.
      const found = cache.keys(prefix, { most: most + 1 });
      return { tier, keys: found.slice(-most).toReversed(), more: found.length > most };
    }
    const { diagnostics } = cache.parts;
    if (diagnostics === undefined)
      throw new Refusal(
        404,
        'NOT_AVAILABLE',
        'The store cannot be listed. Give createCache the part `diagnostics`, as redis() does.',
      );
    const { places, next } = await diagnostics.places(prefix, from, most);
    return { tier, keys: [...new Set(places.map(keyOf))], next, more: next !== undefined };
  },
});
