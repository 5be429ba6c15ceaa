import type { Route } from '../route.ts';
import { breakers } from './breakers.ts';
import { entry } from './entry.ts';
import { fleet } from './fleet.ts';
import { health } from './health.ts';
import { invalidate } from './invalidate.ts';
import { keys } from './keys.ts';
import { livez } from './livez.ts';
import { metrics } from './metrics.ts';
import { nodes } from './nodes.ts';
import { openapiDocument } from './openapi-document.ts';
import { prometheus } from './prometheus.ts';
import { readyz } from './readyz.ts';
import { records } from './records.ts';
import { resetMetrics } from './reset-metrics.ts';
import { samples } from './samples.ts';
import { server } from './server.ts';
import { stream } from './stream.ts';
import { verdicts } from './verdicts.ts';

/** All there is, in the order of the documentation. */
export const routes: readonly Route[] = [
  ...[livez, readyz, prometheus, metrics, resetMetrics, invalidate],
  ...[health, fleet, nodes, keys, entry, verdicts, records, stream, samples, breakers, server, openapiDocument],
];
