import type { KeyExplanation } from '../../operations/index.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { explanationText } from '../explanation-text.ts';
import { line, say } from '../screen.ts';

const args = {
  key: { type: 'positional', description: 'a path such as user:42; \\: is a colon inside a segment' },
  value: { type: 'boolean', description: 'with the values, where the service allows that; with --json' },
} as const;

/** `tidemark inspect` */
export const inspect: ApiCommand<typeof args> = apiCommand({
  name: 'inspect',
  description: 'Why the entry of a key is fresh or stale: its mark, the record that covers it, who sent it and when',
  args,
  exits: { 6: 'there is an entry, and it may not be served', 7: 'no tier that was looked at has an entry' },
  examples: [
    ['tidemark inspect user:42', 'memory of the node that answers, and the store'],
    ['tidemark inspect user:42 --redis redis://localhost --name shop', 'the store, judged by the log'],
    ['tidemark inspect user:42 --json | jq ".entries[].covering"', 'the record that covers it'],
  ],
  run: async (api, args) => {
    const value = args.value === true ? '1' : undefined;
    const explanation = await api.get<KeyExplanation>('/admin/cache/entry', { key: args.key, value });
    if (args.json === true) line(explanation);
    else say(text(explanation, api.fleet));
    return exitCode(explanation);
  },
});

function text(explanation: KeyExplanation, fleet: boolean): string {
  const told = explanationText(explanation);
  return fleet ? `${told}\n\nWhat nodes have in memory only they know: ask one by --url.` : told;
}

function exitCode({ entries }: KeyExplanation): number {
  if (entries.length === 0) return 7;
  return entries.some(({ verdict }) => verdict === 'fresh') ? 0 : 6;
}
