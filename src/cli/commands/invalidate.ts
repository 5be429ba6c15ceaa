import { createInterface } from 'node:readline/promises';
import type { Receipt } from '../../index.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import type { FlagValues } from '../flags.ts';
import { plain } from '../plain.ts';
import { line, say } from '../screen.ts';
import { UsageError } from '../usage-error.ts';

const args = {
  key: {
    type: 'string',
    description: 'a key with everything below it, such as user:42; may be given again',
    valueHint: 'key',
  },
  tag: { type: 'string', description: 'a tag, such as org:7; may be given again', valueHint: 'tag' },
  pattern: { type: 'string', description: 'a glob over whole keys; may be given again', valueHint: 'glob' },
  everything: { type: 'boolean', description: 'everything' },
  event: {
    type: 'string',
    description: 'what the record says has happened',
    valueHint: 'name',
    default: 'cli.invalidate',
  },
  everywhere: { type: 'boolean', description: 'waits until no node of the fleet serves anything older' },
  yes: { type: 'boolean', description: 'asks nothing' },
} as const;

interface Targets {
  readonly keys?: readonly string[];
  readonly tags?: readonly string[];
  readonly patterns?: readonly string[];
  readonly everything?: true;
}

/** `tidemark invalidate` */
export const invalidate: ApiCommand<typeof args> = apiCommand({
  name: 'invalidate',
  description: 'Makes every node load anew what the targets cover',
  args,
  examples: [
    ['tidemark invalidate --key user:42 --tag org:7', 'a key with all below it, and what has the tag'],
    ['tidemark invalidate --pattern "report:*:2025-*" --yes', 'what matches, without a question'],
    ['tidemark invalidate --everything --everywhere', 'asks first, and returns once no node serves anything older'],
  ],
  check: (args, values) => {
    const targets = targetsOf(values, args.everything === true);
    if (args.yes !== true) doubt(targets);
  },
  run: async (api, args, values) => {
    const targets = targetsOf(values, args.everything === true);
    const question = args.yes === true ? undefined : doubt(targets);
    if (question !== undefined) await confirm(question, api.where);
    const acknowledged = args.everywhere === true ? 'everywhere' : 'here';
    const body = { ...targets, event: args.event, acknowledged };
    const receipt = await api.post<Receipt>('/api/system/cache/invalidate', body, 'operator');
    if (args.json === true) line(receipt);
    else say(outcome(receipt, api.fleet));
    return isDone(receipt) ? 0 : 1;
  },
});

/** @throws UsageError where there is none */
function targetsOf({ key = [], tag = [], pattern = [] }: FlagValues, everything: boolean): Targets {
  if (key.length + tag.length + pattern.length === 0 && !everything)
    throw new UsageError('Nothing to invalidate. Give --key, --tag, --pattern or --everything.');
  return {
    ...(key.length > 0 && { keys: key }),
    ...(tag.length > 0 && { tags: tag }),
    ...(pattern.length > 0 && { patterns: pattern }),
    ...(everything && { everything }),
  };
}

/**
 * What has to be asked about, since it may make a whole fleet cold at once.
 *
 * @throws UsageError where nobody can be asked: then it has to be said beforehand
 */
function doubt({ patterns = [], everything }: Targets): string | undefined {
  if (patterns.length === 0 && everything !== true) return undefined;
  const what = everything === true ? 'everything' : `what matches ${patterns.map((it) => plain(it)).join(', ')}`;
  if (process.stdin.isTTY && process.stderr.isTTY) return what;
  throw new UsageError(`This invalidates ${what}: every node loads it anew. Say so by --yes.`);
}

/** @throws an error where the answer is no */
async function confirm(what: string, where: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Invalidate ${what} at ${where}? Every node loads it anew. [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was invalidated.');
  } finally {
    terminal.close();
  }
}

function isDone({ status, everywhere }: Receipt): boolean {
  return status !== 'queued' && everywhere !== false;
}

function outcome({ status, everywhere, token }: Receipt, fleet: boolean): string {
  if (status === 'queued')
    return fleet
      ? 'queued: the log did not take it in time, and this process ends now. Nothing is invalidated; run it again once the server answers.'
      : 'queued: the log did not take it in time. That node serves nothing older, and sends the record as soon as the log answers.';
  if (everywhere === false)
    return `${status}, but not everywhere: it is not known that every node has it. Look at "tidemark nodes".`;
  const where =
    everywhere === true ? 'no node serves anything older' : 'it is in the log: each node has it within maxLag';
  return `${status}: ${where}. Token ${token}`;
}
