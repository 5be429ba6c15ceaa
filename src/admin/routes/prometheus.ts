import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

export const prometheus: Route = route({
  method: 'GET',
  path: '/metrics',
  role: 'reader',
  summary: 'Metrics as Prometheus reads them, where the service gives them',
  query: nothing,
  answer: z.string(),
  contentType: 'text/plain',
  handle: async ({ parts }) => {
    if (parts.prometheus === undefined)
      throw new Refusal(404, 'NOT_AVAILABLE', 'No metrics for Prometheus here. Give createAdmin({ prometheus }).');
    const { contentType, body } = await parts.prometheus();
    return new Response(body, { headers: { 'content-type': contentType } });
  },
});
