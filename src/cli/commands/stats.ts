import type { FleetHealth, Metrics } from '../../operations/index.ts';
import type { Api } from '../api.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { every, interval } from '../every.ts';
import { nodeColumns } from '../node-table.ts';
import { plain } from '../plain.ts';
import { clock, count, percent, rate, size, time } from '../quantity.ts';
import { missReasons, queryColumns } from '../query-table.ts';
import { line, show } from '../screen.ts';
import { pairs, table } from '../table.ts';

const args = {
  watch: { type: 'boolean', description: 'again and again, until q or ctrl-C' },
  every: { type: 'string', description: 'time between two looks, with --watch', valueHint: 'time', default: '2s' },
} as const;

/** `tidemark stats` */
export const stats: ApiCommand<typeof args> = apiCommand({
  name: 'stats',
  description: 'Hits, misses, loads and latencies of a node by query; with --redis, of the fleet by node',
  args,
  examples: [
    ['tidemark stats --url http://localhost:3000/ops', 'since the start of that node, or the last reset'],
    ['tidemark stats --watch --every 5s', 'again every five seconds'],
    ['tidemark stats --json | jq ".total.hitRate"', 'one number'],
  ],
  run: async (api, args) => {
    const look = async (first: boolean): Promise<void> => {
      const { json, text } = await looked(api);
      if (args.json === true) line(json);
      else show(text, first);
    };
    if (args.watch === true) await every(interval(args.every), look);
    else {
      const { json, text } = await looked(api);
      if (args.json === true) line(json);
      else process.stdout.write(`${text}\n`);
    }
  },
});

async function looked(api: Api): Promise<{ readonly json: object; readonly text: string }> {
  if (api.fleet) {
    const json = await api.get<FleetHealth>('/admin/cache/fleet');
    return { json, text: fleetText(json) };
  }
  const json = await api.get<Metrics>('/api/system/metrics/cache');
  return { json, text: nodeText(json) };
}

function nodeText(metrics: Metrics): string {
  const { queries, total, memory, store, invalidations, log, efficiency } = metrics;
  const failures = store.failures.get + store.failures.set + store.failures.reclaim;
  const all: readonly (readonly [string, string])[] = [
    ['node', `${plain(metrics.node)}, counted since ${clock(metrics.since)}`],
    ['memory', `${count(memory.entries)} entries, ${size(memory.bytes)}, ${count(memory.evicted)} evicted`],
    [
      'store',
      `${count(store.writes)} writes, ${size(store.bytesWritten)}, p95 ${time(store.latency.p95)}, ${failures} failures`,
    ],
    [
      'invalidations',
      `${count(invalidations.total)}, p95 ${time(invalidations.latency.p95)}, ${invalidations.queued} queued`,
    ],
    [
      'log',
      `${log.attached ? 'attached' : 'detached'}, proven ${time(log.provenAge)} ago, ${log.applied} applied, ${log.queued} waiting`,
    ],
    ['missed', missReasons(total) || 'nothing'],
    ['efficiency', typeof efficiency.score === 'number' ? `${efficiency.score} of 100` : 'not known yet'],
  ];
  const advice = efficiency.advice.map((it) => `- ${plain(it)}`);
  const read = queries.filter(({ hits, missed }) => hits.memory + hits.store + missed > 0);
  return [table(queryColumns, [...read, total]), pairs(all), ...(advice.length > 0 ? [advice.join('\n')] : [])].join(
    '\n\n',
  );
}

/** Counts by query are each node's own: of the fleet there are the merged ones. */
function fleetText({ nodes, total, status }: FleetHealth): string {
  const all: readonly (readonly [string, string])[] = [
    ['fleet', `${status}, ${nodes.length} listed`],
    ['hit rate', percent(total.hitRate)],
    ['p95', time(total.latencyP95)],
    ['invalidations', `${rate(total.invalidationsPerMinute)} a minute`],
  ];
  return [table(nodeColumns, nodes), pairs(all)].join('\n\n');
}
