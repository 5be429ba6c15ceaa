import type { MissReason } from '../../index.ts';
import type { Metrics, QueryMetrics } from '../../operations/index.ts';
import { percent } from '../quantity.ts';
import { missReasons } from '../query-table.ts';
import type { Finding } from './finding.ts';

/** Fewer reads say nothing. */
const ENOUGH = 100;
/** Hit rates below which a query is looked at, and is critical. */
const [LOW, BAD] = [0.75, 0.5];

const INVALIDATED =
  'Most were invalidated: what is invalidated is broader than what has changed. Name keys rather than patterns, or tags that many share; "tidemark top" shows who invalidates what.';

/** By why there was nothing to serve: what to do about it. */
const CURES: Readonly<Record<MissReason, string>> = {
  absent:
    'Most were not there: read for the first time, or evicted, or the process has just started. Give memory more room (memory.maxEntries, memory.maxBytes), or a store that the fleet shares.',
  expired:
    'Most had expired: give the query a longer ttl. Invalidation keeps entries right; the TTL is about memory alone.',
  detached: 'This node was cut off from its log: mend its connection to the server, see "tidemark nodes".',
  epoch: 'The log has begun anew: its server was restarted, emptied or failed over. See "tidemark tail --types epoch".',
  floor: 'Everything was invalidated: "tidemark top" shows by whom.',
  label: INVALIDATED,
  ban: INVALIDATED,
  announcement: 'Strict writes withhold it while they are under way: make their transactions shorter.',
  queued: 'Writes of this node wait for their log: mend its connection to the server.',
  young: 'The log has begun anew, and strict writes may be under way: it is served again after twice maxLag.',
  token: 'Readers ask for what they have written (atLeast, sessions) before it is here: that is its price.',
};

/** Queries that the cache does little for, and why. */
export function queryFindings({ queries }: Metrics): readonly Finding[] {
  return queries.flatMap((it) => {
    const { query, hitRate, hits, missed } = it;
    const reads = hits.memory + hits.store + missed;
    if (typeof hitRate !== 'number' || reads < ENOUGH || hitRate >= LOW) return [];
    return [
      {
        code: 'query-hit-rate',
        status: hitRate < BAD ? ('critical' as const) : ('degraded' as const),
        what: `Low hit rate of ${query}`,
        evidence: `${percent(hitRate)} of ${reads} reads; not served from memory: ${missReasons(it) || 'nothing'}`,
        cure: cureOf(it),
      },
    ];
  });
}

function cureOf({ misses }: QueryMetrics): string {
  const [main] = Object.entries(misses).sort(([, a], [, b]) => b - a);
  // A newer release may have reasons that this one does not know.
  return (main && CURES[main[0] as MissReason]) ?? INVALIDATED;
}
