import type { Operations } from '../operations/index.ts';

/** How a node is, in a few numbers. Counts are since the start or the last reset. */
export interface Summary {
  readonly at: number;
  readonly hits: number;
  readonly missed: number;
  readonly hitRate: number | undefined;
  readonly loads: number;
  readonly loadFailures: number;
  readonly invalidations: number;
  readonly applied: number;
  readonly entries: number;
  readonly bytes: number;
  readonly attached: boolean;
  readonly provenAge: number;
  readonly queued: number;
}

export function summaryOf(operations: Operations): Summary {
  const { at, total, memory, invalidations, log } = operations.metrics();
  const { hits, missed, hitRate, loads, loadFailures } = total;
  return {
    ...{ at, hits: hits.memory + hits.store, missed, hitRate, loads, loadFailures },
    ...{ invalidations: invalidations.total, applied: log.applied },
    ...{ entries: memory.entries, bytes: memory.bytes },
    ...{ attached: log.attached, provenAge: log.provenAge, queued: log.queued },
  };
}
