import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';
import { probeAnswer, probed } from '../probe.ts';

export const readyz: Route = route({
  method: 'GET',
  path: '/readyz',
  role: 'anyone',
  summary: 'Whether this process should be sent requests',
  query: nothing,
  answer: probeAnswer,
  also: { 503: 'It should not, at the moment' },
  handle: ({ parts, caller }) => probed(parts.operations.ready(), caller),
});
