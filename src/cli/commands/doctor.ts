import { databaseReport } from '../../postgres/index.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { diagnosis } from '../doctor/diagnosis.ts';
import { type Look, look } from '../doctor/facts.ts';
import { type Finding, findingText } from '../doctor/finding.ts';
import { STATUS_EXITS, statusCode } from '../health-status.ts';
import { paint } from '../paint.ts';
import { plain } from '../plain.ts';
import { line, say } from '../screen.ts';

const args = {
  key: { type: 'string', description: 'a key whose value seems to be stale', valueHint: 'key' },
  database: { type: 'string', description: 'looks at replication slot and outbox as well', valueHint: 'address' },
  schema: {
    type: 'string',
    description: "of the relay's tables, with --database",
    valueHint: 'name',
    default: 'tidemark',
  },
  slot: { type: 'string', description: "capture's, with --database", valueHint: 'name', default: 'tidemark' },
} as const;

/** `tidemark doctor` */
export const doctor: ApiCommand<typeof args> = apiCommand({
  name: 'doctor',
  description: 'What is wrong, with what was seen and the cure: hit rates, memory, nodes, server, relay, a stale entry',
  args,
  exits: STATUS_EXITS,
  examples: [
    ['tidemark doctor --redis redis://localhost --name shop', 'the fleet and its server'],
    [
      'tidemark doctor --url http://localhost:3000/ops --key user:42',
      'a node and its fleet, and an entry that seems stale',
    ],
    ['tidemark doctor --database postgresql://relay@localhost/shop', "the relay's side too"],
  ],
  run: async (api, args) => {
    const { key, database: address, schema, slot } = args;
    const database = address === undefined ? undefined : () => databaseReport(address, { schema, slot });
    const seen = await look({ api, key, database });
    const findings = diagnosis(seen.facts);
    if (args.json === true) line({ findings, seen: seen.seen, skipped: seen.skipped });
    else say(text(findings, seen));
    return Math.max(0, ...findings.map(({ status }) => statusCode(status)));
  },
});

function text(findings: readonly Finding[], { seen, skipped }: Look): string {
  const found =
    findings.length === 0 ? [paint('green', 'Nothing is wrong, as far as was looked at.')] : findings.map(findingText);
  const missing = skipped.map(({ what, why }) => `${what} (${plain(why)})`);
  const looked = [
    `Looked at: ${seen.join(', ')}.`,
    ...(missing.length > 0 ? [`Not looked at: ${missing.join(', ')}.`] : []),
  ];
  return [...found, looked.join('\n')].join('\n\n');
}
