import { type Route, route } from '../route.ts';
import { nothing } from '../validation.ts';
import { probeAnswer, probed } from '../probe.ts';

export const livez: Route = route({
  method: 'GET',
  path: '/livez',
  role: 'anyone',
  summary: 'Whether this process should go on',
  query: nothing,
  answer: probeAnswer,
  also: { 503: 'It should be started anew' },
  handle: ({ parts, caller }) => probed(parts.operations.live(), caller),
});
