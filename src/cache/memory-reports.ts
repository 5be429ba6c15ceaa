import type { Clock } from '../coherence/clock.ts';
import type { PartContext } from '../coherence/part.ts';
import { checkReport, type Reports } from './reports.ts';

interface Published {
  readonly report: string;
  /** On the monotonic clock, in ms: when it was published, and for how long it counts. */
  readonly at: number;
  readonly ttl: number;
}

/**
 * The reports of a fleet within this process, for tests and for several caches of one process: make it once, and hand it to each.
 *
 * @example
 * const reports = memoryReports();
 * const a = createCache({ name: 'shop', log, reports });
 * const b = createCache({ name: 'shop', log, reports });
 */
export function memoryReports(): (context: Pick<PartContext, 'clock'>) => Reports {
  let shared: Reports | undefined;
  return ({ clock }) => (shared ??= makeReports(clock));
}

function makeReports(clock: Clock): Reports {
  const published = new Map<string, Published>();
  const age = ({ at }: Published): number => clock.monotonic() - at;
  const publish = (node: string, report: string, ttl: number): void => {
    checkReport(report);
    published.set(node, { report, at: clock.monotonic(), ttl });
  };
  return {
    publish: async (node, report, ttl) => publish(node, report, ttl),
    list: () => {
      for (const [node, it] of published) if (age(it) > it.ttl) published.delete(node);
      return Promise.resolve([...published].map(([node, it]) => ({ node, report: it.report, age: age(it) })));
    },
    withdraw: (node) => {
      published.delete(node);
      return Promise.resolve();
    },
  };
}
