import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

export const openapiDocument: Route = route({
  method: 'GET',
  path: '/admin/cache/openapi.json',
  role: 'reader',
  summary: 'This document: OpenAPI 3.1',
  query: nothing,
  answer: z.record(z.string(), z.unknown()),
  handle: ({ parts }) => parts.openapi(),
});
