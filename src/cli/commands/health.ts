import type { FleetHealth } from '../../operations/index.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { STATUS_EXITS, statusCode } from '../health-status.ts';
import { healthText, type Vitals } from '../health-text.ts';
import type { NodeHealth } from '../node-health.ts';
import { line, say } from '../screen.ts';
import { UsageError } from '../usage-error.ts';

const args = {
  node: { type: 'boolean', description: 'only the node that answers, instead of the fleet' },
} as const;

/** `tidemark health` */
export const health: ApiCommand<typeof args> = apiCommand({
  name: 'health',
  description: 'How the fleet is, why, and what to do about it',
  args,
  exits: STATUS_EXITS,
  examples: [
    ['tidemark health --url http://localhost:3000/ops', 'in words'],
    ['tidemark health --json --node', 'one node, as its API says it'],
    ['tidemark health || notify "cache: $?"', 'in a script'],
  ],
  run: async (api, args) => {
    if (args.node === true && api.fleet)
      throw new UsageError('--node needs --url: what reads the fleet by --redis is no node of it.');
    const answer =
      args.node === true ? await ofNode(api.get('/admin/cache/health')) : await ofFleet(api.get('/admin/cache/fleet'));
    if (args.json === true) line(answer.json);
    else say(healthText(answer.vitals));
    return statusCode(answer.vitals.status);
  },
});

interface Answer {
  readonly json: object;
  readonly vitals: Vitals;
}

async function ofNode(answer: Promise<NodeHealth>): Promise<Answer> {
  const json = await answer;
  const { hit_rate: hitRate, latency_p95_ms: latencyP95, consistency_score: consistencyScore } = json;
  return { json, vitals: { ...json, what: 'this node', hitRate, latencyP95, consistencyScore } };
}

async function ofFleet(answer: Promise<FleetHealth>): Promise<Answer> {
  const json = await answer;
  const { total, nodes } = json;
  return { json, vitals: { ...json, ...total, what: `fleet of ${nodes.length}`, nodes } };
}
