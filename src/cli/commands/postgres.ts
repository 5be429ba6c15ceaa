import { type CommandDef, defineCommand } from 'citty';
import { migrate } from './postgres-migrate.ts';
import { setup } from './postgres-setup.ts';

/** `tidemark postgres` */
export const postgres: CommandDef = defineCommand({
  meta: { name: 'postgres', description: 'Prepares a database' },
  subCommands: { migrate, setup },
});
