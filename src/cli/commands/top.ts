import type { Metrics, NodeView } from '../../operations/index.ts';
import type { Api } from '../api.ts';
import {
  type Aspect,
  aspects,
  type Busy,
  type BusyQuery,
  busiest,
  busyQueries,
  type CountedRecord,
} from '../busiest.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { interval } from '../every.ts';
import { interruptible, pause } from '../interruption.ts';
import { nodeColumns } from '../node-table.ts';
import { clock, count, percent, rate } from '../quantity.ts';
import { line, show } from '../screen.ts';
import { type Column, table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

const args = {
  every: { type: 'string', description: 'time between two looks', valueHint: 'time', default: '2s' },
  most: { type: 'string', description: 'lines of each table', valueHint: 'number', default: '10' },
  times: {
    type: 'string',
    description: 'ends after so many looks; default: on a terminal and with --json never, else 1',
    valueHint: 'number',
  },
} as const;

/** Records that are looked at each time. */
const RECORDS = 500;

/** `tidemark top` */
export const top: ApiCommand<typeof args> = apiCommand({
  name: 'top',
  description: 'The busiest queries, keys, tenants and writers, live; q ends it',
  args,
  examples: [
    ['tidemark top --url http://localhost:3000/ops', 'reads of that node, invalidations of its fleet'],
    ['tidemark top --redis redis://localhost --name shop', 'nodes and invalidations of the fleet'],
    ['tidemark top --times 1 --every 10s', 'once, over ten seconds'],
  ],
  run: async (api, args) => {
    const { json } = args;
    const [every, most] = [interval(args.every), wholeNumber(args.most, '--most')];
    const endless = process.stdout.isTTY || json === true;
    const times = args.times === undefined ? (endless ? Infinity : 1) : wholeNumber(args.times, '--times');
    await interruptible(async (ended) => {
      let before = await metricsOf(api);
      for (let shown = 0; shown < times && (await pause(every, ended)); shown++) {
        const after = await metricsOf(api);
        const look = await looked(api, before, after);
        if (json === true) line(look);
        else show(text(look, most), shown === 0);
        before = after;
      }
    });
  },
});

/** What `--json` prints of each look. */
interface TopLook {
  readonly at: number;
  readonly queries?: readonly BusyQuery[];
  readonly nodes?: readonly NodeView[];
  readonly targets: readonly Busy[];
  readonly causes: readonly Busy[];
  readonly tenants: readonly Busy[];
}

/** A fleet has none: reads are counted by each node. */
function metricsOf(api: Api): Promise<Metrics | undefined> {
  return api.fleet ? Promise.resolve(undefined) : api.get<Metrics>('/api/system/metrics/cache');
}

async function looked(api: Api, before: Metrics | undefined, after: Metrics | undefined): Promise<TopLook> {
  const { records } = await api.get<{ readonly records: readonly CountedRecord[] }>('/admin/cache/records', {
    most: RECORDS,
  });
  const at = Date.now();
  const of = (aspect: Aspect): readonly Busy[] => busiest(records, at, aspects[aspect]);
  const invalidations = { targets: of('targets'), causes: of('causes'), tenants: of('tenants') };
  if (before !== undefined && after !== undefined) return { at, queries: busyQueries(before, after), ...invalidations };
  const { nodes } = await api.get<{ readonly nodes: readonly NodeView[] }>('/admin/cache/nodes');
  return { at, nodes, ...invalidations };
}

function text({ at, queries, nodes, targets, causes, tenants }: TopLook, most: number): string {
  return [
    clock(at),
    ...(queries === undefined ? [] : [table(queryColumns, queries.slice(0, most))]),
    ...(nodes === undefined ? [] : [table(nodeColumns, nodes.slice(0, most))]),
    ...section('INVALIDATED', targets, most),
    ...section('TENANT', tenants, most),
    ...section('WRITER', causes, most),
  ].join('\n\n');
}

const queryColumns: readonly Column<BusyQuery>[] = [
  { head: 'QUERY', cell: ({ query }) => query },
  { head: 'READS/S', cell: ({ reads }) => rate(reads), right: true },
  { head: 'HITS', cell: ({ hitRate }) => percent(hitRate), right: true },
  { head: 'MISSED/S', cell: ({ missed }) => rate(missed), right: true },
  { head: 'LOADS/S', cell: ({ loads }) => rate(loads), right: true },
];

function section(head: string, busy: readonly Busy[], most: number): readonly string[] {
  if (busy.length === 0) return [];
  const columns: readonly Column<Busy>[] = [
    { head: 'A-MINUTE', cell: ({ perMinute }) => count(perMinute), right: true },
    { head, cell: ({ name }) => name },
  ];
  return [table(columns, busy.slice(0, most))];
}
