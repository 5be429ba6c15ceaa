import { captureSetupScript, setupCapture } from '../../postgres/index.ts';
import { type Command, command } from '../command.ts';
import { relayDatabase } from '../relay-database.ts';

const args = {
  url: { type: 'string', description: 'the database, as a role that owns the tables and may replicate' },
  schema: { type: 'string', description: 'where the tables of migrate are; default: as configured, else tidemark' },
  config: { type: 'string', description: 'the configuration file; default tidemark.config.ts', valueHint: 'file' },
  recreate: {
    type: 'boolean',
    description: 'make the slot anew if it is of no use any more: everything is invalidated',
  },
  print: { type: 'boolean', description: 'write the statements to the terminal instead of running them' },
} as const;

/** `tidemark postgres setup` */
export const setup: Command<typeof args> = command({
  name: 'setup',
  description: 'Makes the publication and the slot that capture needs, and checks them',
  args,
  examples: [
    ['tidemark postgres setup', 'what relay.capture of the configuration needs'],
    ['tidemark postgres setup --recreate', 'after the slot was lost: everything is invalidated once'],
  ],
  run: async (args) => {
    const { database, schema, relay } = await relayDatabase(args, args.print !== true);
    const options = { capture: relay?.capture, schema };
    const told =
      args.print === true
        ? captureSetupScript(options)
        : (await setupCapture(database, { ...options, recreate: args.recreate === true })).join('\n');
    process.stdout.write(`${told.trimEnd()}\n`);
  },
});
