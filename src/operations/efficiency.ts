import type { QueryMetrics } from './query-metrics.ts';

/** How much the cache is worth, and what would make it worth more. */
export interface Efficiency {
  /**
   * 0 to 100: the share of the time that readers would have waited for their loaders, and did not. `undefined` until loads have
   * been measured. The hit rate weighs every read the same; this weighs it by what its load takes.
   */
  readonly score: number | undefined;
  /** What to change, one sentence each, the most reads concerned first. */
  readonly advice: readonly string[];
}

/** Fewer reads than that say nothing. */
const ENOUGH = 100;

export interface EfficiencyFigures {
  readonly queries: readonly QueryMetrics[];
  readonly total: QueryMetrics;
  readonly evicted: number;
  readonly storeFailures: number;
}

export function efficiency(figures: EfficiencyFigures): Efficiency {
  return { score: score(figures.queries), advice: advice(figures) };
}

function score(queries: readonly QueryMetrics[]): number | undefined {
  let without = 0;
  let waited = 0;
  for (const { hits, missed, latency } of queries) {
    const load = latency.load.mean;
    if (load === undefined || load === 0) continue;
    without += (hits.memory + hits.store + missed) * load;
    waited += hits.memory * (latency.memory.mean ?? 0) + hits.store * (latency.store.mean ?? 0);
    waited += missed * (latency.loader.mean ?? load);
  }
  return without === 0 ? undefined : Math.round(1_000 * Math.max(0, 1 - waited / without)) / 10;
}

interface Finding {
  readonly reads: number;
  readonly text: string;
}

function advice({ queries, total, evicted, storeFailures }: EfficiencyFigures): string[] {
  const findings = queries.flatMap((it) => ofQuery(it));
  if (evicted > ENOUGH && evicted > (total.loads + total.promotions) / 4)
    findings.push({
      reads: evicted,
      text: `Memory has evicted ${evicted} entries, for ${total.loads} loads: raise memory.maxEntries or memory.maxBytes.`,
    });
  if (total.misses.detached > ENOUGH / 10)
    findings.push({
      reads: total.misses.detached,
      text: `${total.misses.detached} reads came while this node was detached from the log: look at the connection to its server, or allow whenDetached: 'serve' for a stated time.`,
    });
  if (storeFailures > ENOUGH / 10)
    findings.push({
      reads: storeFailures,
      text: `The store has failed ${storeFailures} times: look at its server and at the events store-failed.`,
    });
  return findings.toSorted((a, b) => b.reads - a.reads).map(({ text }) => text);
}

/** What a query's counts say about how it is cached: at most one thing about its hit rate, and others. */
function ofQuery({ query, hits, misses, missed, hitRate, loads, loadFailures, latency }: QueryMetrics): Finding[] {
  const reads = hits.memory + hits.store + missed;
  if (reads < ENOUGH) return [];
  const found: Finding[] = [];
  const say = (text: string): void => void found.push({ reads: missed, text: `${query}: ${text}` });
  if (hitRate !== undefined && hitRate < 0.75) {
    const percent = `${Math.round(100 * hitRate)} % of reads are hits`;
    const cause = Object.entries(misses).reduce((most, it) => (it[1] > most[1] ? it : most));
    say(`${percent}, ${CURES[cause[0] as keyof typeof misses]}.`);
  }
  const { store, load } = latency;
  if (store.count > ENOUGH && load.count > ENOUGH / 10 && (store.p50 ?? 0) > (load.p50 ?? Number.POSITIVE_INFINITY))
    say(
      `the store takes ${store.p50} ms and the loader ${load.p50} ms: keep it in memory alone, with ttl: { store: 0 }, or look at why the store is slow.`,
    );
  if (loadFailures > loads / 10 && loadFailures > ENOUGH / 10)
    say(`${loadFailures} of its loads have failed: give it grace, so that an old value can stand in.`);
  return found;
}

const COVERED =
  'mostly since their entry was invalidated: name smaller targets, one key or a narrower tag, if fewer would do';

const CURES: Readonly<Record<keyof QueryMetrics['misses'], string>> = {
  absent:
    'mostly since nothing was kept under their key: the keys are too many for memory and store, or each is read about once',
  expired: 'mostly since their entry had expired: raise its ttl, since invalidation keeps it true',
  detached: 'mostly since this node was detached from the log: look at the connection to its server',
  token: 'mostly since a client had written just before: that is the price of reading its own writes',
  epoch: 'mostly since the log began a new epoch: look at why its server was restarted or emptied',
  floor: 'mostly since everything was invalidated, or patterns were so often: name keys and tags instead',
  label: COVERED,
  ban: 'mostly since a pattern covered their entry: name a key or a tag instead of the pattern',
  announcement: 'mostly since a strict write was open: make its transactions shorter',
  queued: 'mostly since invalidations wait to be sent: look at the connection to the log',
  young: 'mostly since the epoch of the log was new: look at why its server was restarted or emptied',
};
