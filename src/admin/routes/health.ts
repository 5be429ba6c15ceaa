import { healthAnswer, healthView } from '../health-view.ts';
import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';

export const health: Route = route({
  method: 'GET',
  path: '/admin/cache/health',
  role: 'reader',
  summary: 'How this node is, why, and what to do about it',
  query: nothing,
  answer: healthAnswer,
  handle: ({ parts: { operations } }) => healthView(operations.health()),
});
