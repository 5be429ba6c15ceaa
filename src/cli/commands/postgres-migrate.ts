import { migrate as migrateDatabase, migrationScript, type RelayOptions } from '../../postgres/index.ts';
import { type Command, command } from '../command.ts';
import { relayDatabase } from '../relay-database.ts';

const args = {
  url: { type: 'string', description: 'the database; default: the one of the configuration, else DATABASE_URL' },
  schema: { type: 'string', description: 'where the tables are; default: as configured, else tidemark' },
  config: { type: 'string', description: 'the configuration file; default tidemark.config.ts', valueHint: 'file' },
  print: { type: 'boolean', description: 'write the script to the terminal instead of applying it' },
} as const;

/** `tidemark postgres migrate` */
export const migrate: Command<typeof args> = command({
  name: 'migrate',
  description: 'Creates the tables of outbox and relay, or what is missing of them',
  args,
  examples: [
    ['tidemark postgres migrate --url postgresql://owner@localhost/shop', 'in the schema tidemark'],
    ['tidemark postgres migrate --print > tidemark.sql', 'the script, for whoever applies it'],
  ],
  run: async (args) => {
    const { database, schema } = await relayDatabase(args, args.print !== true);
    if (args.print === true) process.stdout.write(migrationScript(schema));
    else await apply(database, schema);
  },
});

async function apply(database: RelayOptions['database'], schema: string): Promise<void> {
  const made = await migrateDatabase(database, schema);
  for (const name of made) process.stdout.write(`applied ${name}\n`);
  if (made.length === 0) process.stdout.write('nothing to do\n');
}
