import type { Metrics, QueryMetrics } from '../operations/index.ts';

/** A record of the log, as far as it is counted. */
export interface CountedRecord {
  readonly kind: string;
  readonly origin: string;
  /** Milliseconds since 1970, by the maker's clock. */
  readonly time: number;
  readonly targets?: readonly string[];
  readonly cause?: { readonly event?: string; readonly fields?: Readonly<Record<string, string>> };
}

/** A query between two looks, per second. */
export interface BusyQuery {
  readonly query: string;
  readonly reads: number;
  readonly missed: number;
  readonly loads: number;
  /** 0 to 1, of those reads. */
  readonly hitRate: number | undefined;
}

/** Something that is invalidated, and how often a minute. */
export interface Busy {
  readonly name: string;
  readonly perMinute: number;
}

const readsOf = ({ hits, missed }: QueryMetrics): number => hits.memory + hits.store + missed;

/** What was read between two looks, the busiest first. Where counts were reset meanwhile, since then. */
export function busyQueries(before: Metrics, after: Metrics): readonly BusyQuery[] {
  const isReset = before.since !== after.since;
  const seconds = Math.max(after.at - (isReset ? after.since : before.at), 1) / 1_000;
  const known = new Map(isReset ? [] : before.queries.map((it) => [it.query, it]));
  const busy = after.queries.map((now) => {
    const then = known.get(now.query);
    const reads = readsOf(now) - (then === undefined ? 0 : readsOf(then));
    const missed = now.missed - (then?.missed ?? 0);
    const loads = now.loads - (then?.loads ?? 0);
    return {
      query: now.query,
      ...{ reads: reads / seconds, missed: missed / seconds, loads: loads / seconds },
      hitRate: reads === 0 ? undefined : (reads - missed) / reads,
    };
  });
  return busy.sort((a, b) => b.reads - a.reads || b.loads - a.loads);
}

const MINUTE = 60_000;

/** How often something about the records of the last minute was seen, the most frequent first. */
export function busiest(
  records: readonly CountedRecord[],
  now: number,
  namesOf: (record: CountedRecord) => readonly (string | undefined)[],
): readonly Busy[] {
  const counts = new Map<string, number>();
  for (const record of records)
    if (record.time > now - MINUTE)
      for (const name of new Set(namesOf(record)))
        if (name !== undefined && name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, perMinute]) => ({ name, perMinute })).sort((a, b) => b.perMinute - a.perMinute);
}

/** What is counted of records. */
export type Aspect = 'targets' | 'causes' | 'tenants';

/** What records are about, who made them, and for whom. */
export const aspects: Readonly<Record<Aspect, (record: CountedRecord) => readonly (string | undefined)[]>> = {
  targets: ({ kind, targets = [] }) => (kind === 'everything' ? ['everything'] : targets),
  causes: ({ origin, cause }) => [`${cause?.event ?? '(no event)'} by ${origin}`],
  tenants: ({ cause }) => [cause?.fields?.['org'] ?? cause?.fields?.['tenant']],
};
