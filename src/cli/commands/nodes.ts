import type { NodeView } from '../../operations/index.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { nodeColumns } from '../node-table.ts';
import { line, say } from '../screen.ts';
import { table } from '../table.ts';

const args = {} as const;

/** `tidemark nodes` */
export const nodes: ApiCommand<typeof args> = apiCommand({
  name: 'nodes',
  description: 'The nodes and relays of the fleet, and how far each is behind the log',
  args,
  examples: [
    ['tidemark nodes --redis redis://localhost --name shop', 'a table, those that need a look first'],
    ['tidemark nodes --json | jq -r ".nodes[] | select(.attached | not) | .node"', 'those that are cut off'],
  ],
  run: async (api, args) => {
    const answer = await api.get<{ readonly nodes: readonly NodeView[] }>('/admin/cache/nodes');
    if (args.json === true) line(answer);
    else if (answer.nodes.length === 0) say('No node is in the fleet.');
    else say(table(nodeColumns, worstFirst(answer.nodes)));
  },
});

const ORDER = ['critical', 'silent', 'degraded', 'healthy'];

function worstFirst(nodes: readonly NodeView[]): readonly NodeView[] {
  return [...nodes].sort(
    (a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0),
  );
}
