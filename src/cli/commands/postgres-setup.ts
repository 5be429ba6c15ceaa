import { type CommandDef, defineCommand } from 'citty';
import { captureSetupScript, setupCapture } from '../../postgres/index.ts';
import { checkFlags, reported } from '../command-outcome.ts';
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
export const setup: CommandDef<typeof args> = defineCommand({
  meta: { name: 'setup', description: 'Makes the publication and the slot that capture needs, and checks them' },
  args,
  run: ({ rawArgs, args }) =>
    reported(async () => {
      checkFlags(rawArgs, ['url', 'schema', 'config', 'recreate', 'print']);
      const { database, schema, relay } = await relayDatabase(args, args.print !== true);
      const options = { capture: relay?.capture, schema };
      const told =
        args.print === true
          ? captureSetupScript(options)
          : (await setupCapture(database, { ...options, recreate: args.recreate === true })).join('\n');
      process.stdout.write(`${told.trimEnd()}\n`);
    }),
});
