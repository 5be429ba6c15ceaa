import { z } from 'zod';
import { defaultTypes, streamedTypes } from '../live-event.ts';
import { type Route, route } from '../route.ts';

const types = z
  .string()
  .optional()
  .transform((text, context) => {
    const wanted = text === undefined ? defaultTypes : text.split(',');
    const unknown = wanted.filter((it) => !streamedTypes.includes(it));
    if (unknown.length > 0) context.addIssue({ code: 'custom', message: `there are only ${streamedTypes.join(', ')}` });
    return new Set(wanted);
  })
  .describe(`of events, with commas between; default ${defaultTypes.join(',')}. Known: ${streamedTypes.join(', ')}`);

export const stream: Route = route({
  method: 'GET',
  path: '/admin/cache/stream',
  role: 'reader',
  summary: 'What happens from now on, as server-sent events',
  query: z.strictObject({ types }),
  answer: z.string(),
  contentType: 'text/event-stream',
  also: { 503: 'Too many clients listen' },
  handle: ({ query, request, parts }) => {
    const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    if (request.method === 'HEAD') return new Response(null, { headers });
    return new Response(parts.stream.open(query.types), { headers });
  },
});
