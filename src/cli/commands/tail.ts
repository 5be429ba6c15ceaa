import { type ApiCommand, apiCommand } from '../api-command.ts';
import { interruptible } from '../interruption.ts';
import { liveLine } from '../live-line.ts';
import { line, say } from '../screen.ts';
import { wholeNumber } from '../whole-number.ts';

const args = {
  types: {
    type: 'string',
    description: 'only these events, with commas between, such as applied,detached',
    valueHint: 'types',
  },
  most: { type: 'string', description: 'ends after so many', valueHint: 'number' },
} as const;

/** What the stream has besides, for dashboards. */
const PULSE = new Set(['summary']);

/** `tidemark tail` */
export const tail: ApiCommand<typeof args> = apiCommand({
  name: 'tail',
  description: 'What happens from now on: records as they are applied, nodes cut off, failures',
  args,
  examples: [
    ['tidemark tail --redis redis://localhost --name shop', "the fleet's log, live"],
    ['tidemark tail --types applied --json | jq -c .record.targets', 'JSON, one event a line'],
    ['tidemark tail --types detached,epoch --most 1', 'waits for the first of these'],
  ],
  run: async (api, args) => {
    const most = args.most === undefined ? undefined : wholeNumber(args.most, '--most');
    await interruptible(async (ended) => {
      let shown = 0;
      for await (const { event, data } of api.stream('/admin/cache/stream', { types: args.types }, ended)) {
        if (args.types === undefined && PULSE.has(event)) continue;
        const told = JSON.parse(data) as object;
        if (args.json === true) line({ type: event, ...told });
        else say(liveLine(event, told));
        if (++shown === most) return;
      }
    });
  },
});
